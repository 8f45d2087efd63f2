// Package durable makes what was written survive a power cut: it creates
// directories, opens files for appending, replaces files and takes locks, and
// each of them returns only after the bytes and the names that lead to them are
// on the disk, or with an error. What it makes belongs to whom it should, even
// under sudo, and no symbolic link that somebody put in its way is followed.
//
// What stays unsafe: a file system that acknowledges fsync without keeping the
// promise (some network mounts, disks with a volatile cache and no barrier)
// can lose what this package reported as written. Windows cannot sync a
// directory; there the new name of a file is as safe as NTFS's journal.
package durable
