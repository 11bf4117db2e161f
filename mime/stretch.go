package mime

import (
	"bytes"
	"fmt"
	"io"
)

// stretch is a part of a message in a row, that can be read again and again.
type stretch struct {
	size int64 // exact, in octets
	open func() (io.ReadCloser, error)
}

func bytesStretch(b []byte) stretch {
	return stretch{int64(len(b)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// measure makes a stretch of what open gives, and reads it once to know its size.
func measure(open func() (io.ReadCloser, error)) (stretch, error) {
	r, err := open()
	if err != nil {
		return stretch{}, err
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	return stretch{n, open}, err
}

// read gives all of a short stretch.
func (p stretch) read() ([]byte, error) {
	r, err := p.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, 0, p.size+bytes.MinRead)
	buf := bytes.NewBuffer(b)
	_, err = buf.ReadFrom(r)
	return buf.Bytes(), err
}

// join makes one stretch of several.
func join(stretches []stretch) stretch {
	all := stretch{open: func() (io.ReadCloser, error) {
		// The first errors come before anything is sent.
		for _, p := range stretches {
			r, err := p.open()
			if err != nil {
				return nil, err
			}
			r.Close()
		}
		return &joined{stretches: stretches}, nil
	}}
	for _, p := range stretches {
		all.size += p.size
	}
	return all
}

// joined reads stretches one after the other, with one open at a time.
type joined struct {
	stretches []stretch
	now       io.ReadCloser
	left      int64 // of now
	err       error
}

// Read fills p unless the message ends or breaks off: what has not the size that
// it had is an error and no end.
func (j *joined) Read(p []byte) (int, error) {
	total := 0
	for total < len(p) && j.err == nil {
		n := 0
		if n, j.err = j.some(p[total:]); n > 0 {
			total += n
		}
	}
	if total > 0 || len(p) == 0 {
		return total, nil
	}
	return 0, j.err
}

func (j *joined) some(p []byte) (int, error) {
	if j.now == nil {
		if len(j.stretches) == 0 {
			return 0, io.EOF
		}
		var err error
		if j.now, err = j.stretches[0].open(); err != nil {
			return 0, err
		}
		j.left, j.stretches = j.stretches[0].size, j.stretches[1:]
	}
	n, err := j.now.Read(p)
	j.left -= int64(n)
	switch {
	case j.left < 0:
		return n, fmt.Errorf("message changed its size while it was read: %d octets are too much", -j.left)
	case err == io.EOF && j.left > 0:
		return n, fmt.Errorf("message changed its size while it was read: %d octets are missing", j.left)
	case err == io.EOF:
		err = j.now.Close()
		j.now = nil
	}
	return n, err
}

func (j *joined) Close() error {
	j.stretches = nil
	if j.err == nil {
		j.err = io.EOF
	}
	if j.now == nil {
		return nil
	}
	now := j.now
	j.now = nil
	return now.Close()
}
