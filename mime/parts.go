package mime

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Extracted is a part that was written to a file.
type Extracted struct {
	Part string `json:"part"`           // Part.ID
	File string `json:"file"`           // its base name within the folder
	Name string `json:"name,omitempty"` // what the message calls it: foreign text
	Type string `json:"type"`
	Size int64  `json:"size"` // octets written
}

// filesMost bounds the files that one message makes.
const filesMost = 1000

// Extract writes the content of parts into a folder, which must exist, with the
// transfer encoding undone: the parts with these IDs, or all that have content of
// their own; a message within the message is such a part, unless one of its own parts
// is named. Files are new and have mode 0600: none is ever overwritten, and
// nothing is written outside the folder, whatever names the message gives. What
// was written whole is told with an error too; a file cut short is removed.
func (r *Reading) Extract(dir string, ids ...string) ([]Extracted, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	in, err := r.held.open()
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	defer in.Close()
	x := &extraction{root: root, ids: ids, missing: slices.Clone(ids), used: map[string]int{}}
	w := newWalker(x.open)
	w.whole = x.whole
	_, err = w.walk(in)
	if x.now != nil { // reading failed within a part
		err = errors.Join(err, x.now.remove())
	}
	if err == nil && len(x.missing) > 0 {
		err = fmt.Errorf("no part %s with content of its own is in the message", strings.Join(x.missing, ", "))
	}
	return x.done, err
}

// extraction writes parts into a folder.
type extraction struct {
	root    *os.Root
	ids     []string
	missing []string
	done    []Extracted
	now     *partFile
	used    map[string]int // the last number of each name
}

// whole reports whether a message within the message is written as it is.
func (x *extraction) whole(p *Part) bool {
	return !slices.ContainsFunc(x.ids, func(id string) bool { return strings.HasPrefix(id, p.ID+".") })
}

// open makes the file for a part.
func (x *extraction) open(p *Part) (io.WriteCloser, error) {
	if len(x.ids) > 0 && !slices.Contains(x.ids, p.ID) {
		return nil, nil
	}
	if len(x.done) == filesMost {
		return nil, fmt.Errorf("over %d parts: name the ones to extract", filesMost)
	}
	x.missing = slices.DeleteFunc(x.missing, func(id string) bool { return id == p.ID })
	name := p.Name
	if name == "" {
		name = "part-" + p.ID + ending(p.Type)
	}
	f, err := x.create(safeName(name))
	if err != nil {
		return nil, fmt.Errorf("part %s: %w", p.ID, err)
	}
	x.now = &partFile{File: f, of: x, part: p}
	return x.now, nil
}

// create makes a new file by that name, or with a number behind it.
func (x *extraction) create(name string) (*os.File, error) {
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	for n := x.used[name] + 1; n <= 10*filesMost; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s-%d%s", stem, n, ext)
		}
		f, err := x.root.OpenFile(try, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			x.used[name] = n
			return f, err
		}
	}
	return nil, fmt.Errorf("%s and all its numbers: %w", name, fs.ErrExist)
}

// partFile is a file being written.
type partFile struct {
	*os.File
	of   *extraction
	part *Part
}

func (f *partFile) Close() error {
	f.of.now = nil
	if err := f.File.Close(); err != nil {
		return errors.Join(err, f.of.root.Remove(f.base()))
	}
	f.of.done = append(f.of.done, Extracted{f.part.ID, f.base(), f.part.Name, f.part.Type, f.part.Decoded})
	return nil
}

func (f *partFile) base() string { return filepath.Base(f.Name()) }

func (f *partFile) remove() error {
	return errors.Join(f.File.Close(), f.of.root.Remove(f.base()))
}

// ending is the usual end of a file's name for a media type, the same on every
// machine.
func ending(kind string) string {
	switch kind {
	case "text/plain":
		return ".txt"
	case "text/html":
		return ".html"
	case "text/calendar":
		return ".ics"
	case "text/csv":
		return ".csv"
	case "message/rfc822", "message/global":
		return ".eml"
	case "application/pdf":
		return ".pdf"
	case "application/zip":
		return ".zip"
	case "image/png":
		return ".png"
	case "image/jpeg":
		return ".jpg"
	case "image/gif":
		return ".gif"
	}
	if strings.HasPrefix(kind, "text/") {
		return ".txt"
	}
	return ".bin"
}
