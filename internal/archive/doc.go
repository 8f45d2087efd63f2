// Package archive keeps what volumes hold in files, and brings it back.
//
// An export is a directory:
//
//	shop-20261123T101500Z/
//	    volumes/shop_pgdata.tar.zst
//	    manifest.json
//	    SHA256SUMS
//
// Each volume is one PAX tar, compressed with Zstandard. Its entries are named
// "./" (the volume's root), "./dir/", "./dir/file", a directory before what is
// in it, names in byte order: any tar program reads it, two archives can be
// compared entry by entry without keeping either in memory, and an entry whose
// directory did not come before it is refused. Extended attributes are
// SCHILY.xattr records, times are to the nanosecond, owners are numbers, sparse
// files are in GNU's format 1.0.
//
// manifest.json says of every archive where it came from, how it was read, what
// it could not take along and why, and the SHA-256 of the archive and of the tar
// within. SHA256SUMS is for sha256sum -c. Until all of it is written, read again
// and synced, the directory's name ends in ".incomplete".
//
// The package reads and writes plain directories (on Linux) and plain streams;
// it knows nothing of engines.
package archive
