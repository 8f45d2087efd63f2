package durable

// Path is the path of the lock file.
func (l *Locked) Path() string { return l.path }

// Leave ends this process's part in the lock, and leaves it to the children that
// inherited File: it is free when the last of them has ended.
func (l *Locked) Leave() error { return l.File.Close() }
