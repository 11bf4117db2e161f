package mime

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// Bounds on what is spooled: in memory, and in all.
const (
	spoolMemory = 1 << 20
	spoolMost   = 1 << 30
)

// Source is where bytes come from. The zero Source is empty.
type Source struct {
	path string
	data []byte
	from io.Reader
}

// File is the file at path. It is opened anew each time it is read; what is
// not a regular file (a pipe, a device) is spooled as Reader says.
func File(path string) Source { return Source{path: path} }

// Bytes is b, which must not change.
func Bytes(b []byte) Source { return Source{data: b} }

// Reader is r, read once to its end and spooled: up to 1 MiB in memory, more
// in a temporary file that Message.Close removes.
func Reader(r io.Reader) Source { return Source{from: r} }

// held is a source that can be opened again and again.
type held struct {
	size    int64
	path    string        // of a file, else ""
	changed time.Time     // of a file
	sum     atomic.Uint64 // of a file, once it was read: 1<<32 and a CRC
	data    []byte
	spool   *os.File
	remove  string // the spool's name, where an open file could not be removed
}

// hold makes s ready to be opened: it looks at a file, and reads a pipe to its
// end, which must come within most octets.
func (s Source) hold(most int64) (*held, error) {
	switch {
	case s.from != nil:
		return spool(s.from, most)
	case s.path == "":
		return &held{size: int64(len(s.data)), data: s.data}, nil
	}
	info, err := os.Stat(s.path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory", s.path)
	case info.Mode().IsRegular() && info.Size() > 0: // files of /proc say 0
		h := &held{size: info.Size(), path: s.path, changed: info.ModTime()}
		f, err := h.open() // tells now if it cannot be read
		if err != nil {
			return nil, err
		}
		return h, f.Close()
	}
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return spool(f, most)
}

func spool(r io.Reader, most int64) (*held, error) {
	r = io.LimitReader(r, most+1)
	head := make([]byte, 32<<10)
	n, err := io.ReadFull(r, head)
	if err == nil { // one step to the most, as memory that grows is garbage
		head = append(make([]byte, 0, spoolMemory+1), head...)[:spoolMemory+1]
		var more int
		more, err = io.ReadFull(r, head[n:])
		n += more
	}
	head = head[:n]
	switch {
	case int64(n) > most:
		return nil, fmt.Errorf("over %d bytes: too long to be spooled", most)
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return &held{size: int64(n), data: head}, nil
	case err != nil:
		return nil, err
	}
	f, err := os.CreateTemp("", "ehlo-*") // made with mode 0600
	if err != nil {
		return nil, notSpooled(err)
	}
	h := &held{spool: f}
	if os.Remove(f.Name()) != nil { // nothing is left behind, however we end
		h.remove = f.Name()
	}
	if _, err = f.Write(head); err == nil {
		h.size, err = io.Copy(f, r)
		h.size += int64(n)
	}
	var failed *os.PathError
	switch {
	case errors.As(err, &failed) && failed.Path == f.Name():
		err = notSpooled(err)
	case err == nil && h.size > most:
		err = fmt.Errorf("over %d bytes: too long to be spooled", most)
	}
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// SpoolError says why the temporary file could not be written that holds what can
// be read only once.
type SpoolError struct {
	Path string
	Err  error // the system's
}

func notSpooled(err error) error {
	if file := (*os.PathError)(nil); errors.As(err, &file) {
		return &SpoolError{file.Path, file.Err}
	}
	return err
}

func (e *SpoolError) Error() string {
	return fmt.Sprintf("the temporary file for what comes from a pipe, %s: %v", e.Path, e.Err)
}

// Unwrap gives what the system said.
func (e *SpoolError) Unwrap() error { return e.Err }

func (h *held) close() error {
	if h.spool == nil {
		return nil
	}
	err := h.spool.Close()
	if h.remove != "" {
		err = errors.Join(err, os.Remove(h.remove))
	}
	h.spool, h.remove = nil, ""
	return err
}

// same returns an error if the file is not what it was when it was held.
func (h *held) same(info os.FileInfo, err error) error {
	if err == nil && (info.Size() != h.size || !info.ModTime().Equal(h.changed)) {
		err = fmt.Errorf("%s changed since it was read first", h.path)
	}
	return err
}

// open gives the bytes from the start. A file that changed, then or while it is
// read, is an error, which comes before the last octets do.
func (h *held) open() (io.ReadCloser, error) {
	switch {
	case h.path != "":
		f, err := os.Open(h.path)
		if err != nil {
			return nil, err
		}
		if err := h.same(f.Stat()); err != nil {
			f.Close()
			return nil, err
		}
		return &steady{file: f, h: h, left: h.size, table: crc32.MakeTable(crc32.Castagnoli)}, nil
	case h.spool != nil:
		return io.NopCloser(io.NewSectionReader(h.spool, 0, h.size)), nil
	case h.data == nil && h.size > 0:
		return nil, os.ErrClosed
	}
	return io.NopCloser(bytes.NewReader(h.data)), nil
}

// steady reads a file of known size, to the end only if nothing changed.
type steady struct {
	file  *os.File
	h     *held
	left  int64
	table *crc32.Table
	sum   uint32
}

func (s *steady) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.file.Read(p[:min(int64(len(p)), s.left)])
	if err == io.EOF {
		err = fmt.Errorf("%s became shorter while it was read", s.h.path)
	}
	s.left -= int64(n)
	s.sum = crc32.Update(s.sum, s.table, p[:n])
	if s.left > 0 || err != nil {
		return n, err
	}
	if err := s.h.same(s.file.Stat()); err != nil {
		return 0, err
	}
	if err := s.h.saw(s.sum); err != nil {
		return 0, err
	}
	return n, nil
}

func (s *steady) Close() error { return s.file.Close() }

// saw compares the sum of all octets with that of the first reading: a file may
// change without its size or its time telling.
func (h *held) saw(sum uint32) error {
	now := uint64(sum) | 1<<32
	if !h.sum.CompareAndSwap(0, now) && h.sum.Load() != now {
		return fmt.Errorf("%s changed since it was read first", h.path)
	}
	return nil
}
