package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// extent is a part of a file that is no hole.
type extent struct{ offset, length int64 }

// sparseHeader is the beginning of a sparse file in GNU's format 1.0: an
// extended header with what h has, a plain one, and the map of extents, after
// which the extents' bytes follow without the holes. The standard library reads
// this format and does not write it.
//
// https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html
func sparseHeader(h *tar.Header, extents []extent) (head []byte, stored int64, err error) {
	if n := len(extents); n == 0 || extents[n-1].offset+extents[n-1].length < h.Size {
		extents = append(extents, extent{h.Size, 0}) // the hole at the end
	}
	list := strconv.AppendInt(nil, int64(len(extents)), 10)
	list = append(list, '\n')
	for _, e := range extents {
		list = strconv.AppendInt(list, e.offset, 10)
		list = append(list, '\n')
		list = strconv.AppendInt(list, e.length, 10)
		list = append(list, '\n')
		stored += e.length
	}
	list = append(list, make([]byte, -len(list)&511)...)
	records := map[string]string{
		"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": h.Name, "GNU.sparse.realsize": strconv.FormatInt(h.Size, 10),
		"mtime": fmt.Sprintf("%d.%09d", h.ModTime.Unix(), h.ModTime.Nanosecond()),
		"uid":   strconv.Itoa(h.Uid), "gid": strconv.Itoa(h.Gid), "size": strconv.FormatInt(int64(len(list))+stored, 10),
	}
	maps.Copy(records, h.PAXRecords)
	var body []byte
	for _, key := range slices.Sorted(maps.Keys(records)) {
		body = append(body, paxRecord(key, records[key])...)
	}
	out, err := block(tar.TypeXHeader, "././@PaxHeader", 0, int64(len(body)))
	if err != nil {
		return nil, 0, err
	}
	out = append(append(out, body...), make([]byte, -len(body)&511)...)
	plain, err := block(tar.TypeReg, "./GNUSparseFile.0/sparse", h.Mode, 0)
	return append(append(out, plain...), list...), stored, err
}

// paxRecord is "LENGTH KEY=VALUE\n", the length counting its own digits.
func paxRecord(key, value string) string {
	rest := " " + key + "=" + value + "\n"
	n := len(rest)
	for n != len(rest)+len(strconv.Itoa(n)) {
		n = len(rest) + len(strconv.Itoa(n))
	}
	return strconv.Itoa(n) + rest
}

// block is one header block. The standard library makes it as that of a plain
// file; type and size are set afterwards, and the checksum again. A size that
// does not fit is in the extended header.
func block(kind byte, name string, mode, size int64) ([]byte, error) {
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: size, Format: tar.FormatUSTAR}); err != nil {
		return nil, err
	}
	out := b.Bytes()
	out[156] = kind
	copy(out[148:156], "        ")
	sum := 0
	for _, c := range out {
		sum += int(c)
	}
	copy(out[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return out, nil
}

// writeSparse writes a sparse file: its header, and its extents from the file.
func writeSparse(w io.Writer, h *tar.Header, extents []extent, from io.ReaderAt, buf []byte) error {
	head, stored, err := sparseHeader(h, extents)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, e := range extents {
		n, err := io.CopyBuffer(struct{ io.Writer }{w}, io.NewSectionReader(from, e.offset, e.length), buf)
		if err == nil && n < e.length {
			err = errShrank
		}
		if err != nil {
			return err
		}
	}
	_, err = w.Write(make([]byte, -stored&511))
	return err
}
