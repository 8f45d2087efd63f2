// Package trees makes directories with everything in them that is hard to copy.
package trees

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Options leave out what a way of copying is known not to manage.
type Options struct {
	Long bool // paths of more than 4,096 bytes
}

// Hard fills the directory. It needs root.
func Hard(dir string, o Options) error {
	m := maker{dir: dir}
	m.file("plain", "hello\n")
	m.file("empty", "")
	m.mkdir("empty-dir")
	m.mkdir("a-dir")
	m.file("a-dir/first", "one content, three names\n")
	m.link("a-dir/first", "a-dir/second")
	m.mkdir("other")
	m.link("a-dir/first", "other/third")
	m.file("a-dir.between", "sorts between a-dir and what is in it\n")
	m.file("suid", "#!/bin/sh\n")
	m.owner("suid", 4_000_000_000, 3_999_999_999)
	m.mode("suid", 0o6755)
	m.mkdir("sticky")
	m.owner("sticky", 70, 70)
	m.mode("sticky", 0o3777)
	m.file("no-one", "secret\n")
	m.mode("no-one", 0)
	m.symlink("dangling", "nowhere/at/all")
	m.symlink("climbing", "../../../../etc/passwd")
	m.symlink("absolute", "/etc/shadow")
	m.symlink("loop", "loop")
	m.check(unix.Lchown(m.at("absolute"), 12, 34))
	m.check(unix.Mkfifo(m.at("fifo"), 0o640))
	m.check(unix.Mknod(m.at("null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	m.check(unix.Mknod(m.at("disk"), unix.S_IFBLK|0o600, int(unix.Mkdev(300, 70000))))
	m.socket("socket")
	m.file(strings.Repeat("n", 255), "a long name\n")
	m.file("not-utf8-\xff\xfe", "bytes\n")
	m.file("new\nline", "and a tab\t\n")
	m.file(" -rf *", "quoting\n")
	m.file("ünï", "accents\n")
	m.file("sparse", "")
	m.sparse("sparse")
	m.file("all-hole", "")
	m.check(os.Truncate(m.at("all-hole"), 1<<20))
	m.file("large", strings.Repeat("0123456789abcdef", 1<<17))
	m.xattr("plain", "user.note", "a value with\x00 and \xff")
	m.xattr("empty-dir", "user.dir", "on a directory")
	// cap_net_bind_service=ep, version 2.
	m.xattr("large", "security.capability", "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	m.xattr("a-dir.between", "system.posix_acl_access", acl(6, 7, 4))
	m.xattr("other", "system.posix_acl_default", acl(7, 5, 5))
	if o.Long {
		m.long("deep")
	}
	for i, name := range []string{"plain", "suid", "a-dir/first", "large", "sparse", "empty-dir", "other", "a-dir"} {
		m.time(name, time.Unix(1_500_000_000+int64(i), 123_456_789+int64(i)))
	}
	m.time("empty", time.Unix(-86_400, 5)) // before 1970
	m.owner(".", 999, 998)
	m.mode(".", 0o2751)
	m.time(".", time.Unix(1_400_000_000, 987_654_321))
	return m.err
}

// acl is a POSIX ACL of version 2: owner, user 1000, group, mask, others.
func acl(owner, user, mask byte) string {
	entry := func(tag, perm byte, id string) string { return string([]byte{tag, 0, perm, 0}) + id }
	none := "\xff\xff\xff\xff"
	return "\x02\x00\x00\x00" + entry(1, owner, none) + entry(2, user, "\xe8\x03\x00\x00") + entry(4, 4, none) + entry(0x10, mask, none) + entry(0x20, 4, none)
}

type maker struct {
	dir string
	err error
}

func (m *maker) at(name string) string { return filepath.Join(m.dir, name) }

func (m *maker) check(err error) {
	if m.err == nil {
		m.err = err
	}
}

func (m *maker) file(name, content string) {
	m.check(os.WriteFile(m.at(name), []byte(content), 0o644))
	m.mode(name, 0o644)
}

func (m *maker) mkdir(name string) { m.check(os.Mkdir(m.at(name), 0o755)) }

func (m *maker) link(old, name string) { m.check(os.Link(m.at(old), m.at(name))) }

func (m *maker) symlink(name, target string) { m.check(os.Symlink(target, m.at(name))) }

func (m *maker) owner(name string, uid, gid int) { m.check(os.Lchown(m.at(name), uid, gid)) }

func (m *maker) mode(name string, mode uint32) { m.check(unix.Chmod(m.at(name), mode)) }

func (m *maker) xattr(name, key, value string) {
	if err := unix.Setxattr(m.at(name), key, []byte(value), 0); err != nil {
		m.check(fmt.Errorf("%s on %s: %w", key, name, err))
	}
}

func (m *maker) time(name string, t time.Time) { m.check(os.Chtimes(m.at(name), t, t)) }

func (m *maker) socket(name string) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	m.check(err)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	here, err := os.Getwd()
	m.check(err)
	m.check(os.Chdir(m.dir)) // an address is of 108 bytes at most
	m.check(unix.Bind(fd, &unix.SockaddrUnix{Name: name}))
	m.check(os.Chdir(here))
}

// sparse writes data, a hole of 3 MiB, data, and a hole at the end.
func (m *maker) sparse(name string) {
	f, err := os.OpenFile(m.at(name), os.O_WRONLY, 0)
	m.check(err)
	if err != nil {
		return
	}
	defer f.Close()
	for _, at := range []int64{4096, 3 << 20} {
		_, err := f.WriteAt([]byte("data in the middle of nothing"), at)
		m.check(err)
	}
	m.check(f.Truncate(5<<20 + 17))
}

// long makes a path that no single system call can name.
func (m *maker) long(name string) {
	at, err := unix.Open(m.dir, unix.O_DIRECTORY, 0)
	m.check(err)
	for i := range 25 {
		part := fmt.Sprintf("%s-%02d-%s", name, i, strings.Repeat("x", 200))
		m.check(unix.Mkdirat(at, part, 0o755))
		next, err := unix.Openat(at, part, unix.O_DIRECTORY, 0)
		m.check(err)
		unix.Close(at)
		at = next
	}
	fd, err := unix.Openat(at, "bottom", unix.O_CREAT|unix.O_WRONLY, 0o644)
	m.check(err)
	_, err = unix.Write(fd, []byte("far down\n"))
	m.check(err)
	unix.Close(fd)
	unix.Close(at)
}

// Many makes count small files in directories of 1,000.
func Many(dir string, count int) error {
	for i := range count {
		sub := filepath.Join(dir, fmt.Sprintf("d%03d", i/1000))
		if i%1000 == 0 {
			if err := os.MkdirAll(sub, 0o755); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("f%03d", i%1000)), fmt.Appendf(nil, "this is file %d\n", i), 0o644); err != nil {
			return err
		}
	}
	return nil
}
