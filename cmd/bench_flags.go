package cmd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/load"
)

// biggest is the longest message that bench makes up.
const biggest = 64 << 20

// sizeRange is a part of --size: messages of as many bytes, or from least to most,
// and how often beside the others.
type sizeRange struct{ least, most, weight int }

var errSize = errors.New("sizes are written 1KiB, 512-64KiB, or with their shares 1KiB:90,100KiB:10")

// parseSizes reads SIZE[-SIZE][:SHARE], several of them separated by commas.
func parseSizes(v string) ([]sizeRange, error) {
	var list []sizeRange
	for part := range strings.SplitSeq(v, ",") {
		text, share, shared := strings.Cut(part, ":")
		least, most, ranged := strings.Cut(text, "-")
		r := sizeRange{weight: 1}
		var err error
		if r.least, err = parseSize(least); err != nil {
			return nil, err
		}
		if r.most = r.least; ranged {
			if r.most, err = parseSize(most); err != nil {
				return nil, err
			}
		}
		if shared {
			if r.weight, err = strconv.Atoi(share); err != nil || r.weight < 1 || r.weight > 1000 {
				return nil, errors.New("a share is a number from 1 to 1000")
			}
		}
		if r.most < r.least {
			return nil, fmt.Errorf("%s ends before it begins", quote(text))
		}
		list = append(list, r)
	}
	if len(list) > 20 {
		return nil, errors.New("at most 20 sizes are told apart")
	}
	return list, nil
}

// parseSize reads 812, 1KiB, 1.5MiB; K, M and G count as KiB, MiB and GiB.
func parseSize(v string) (int, error) {
	unit := 1.0
	number := v
	for _, u := range []struct {
		name  string
		bytes float64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}} {
		if rest, ok := strings.CutSuffix(v, u.name); ok {
			unit, number = u.bytes, rest
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.Trim(number, "0123456789.") != "" {
		return 0, errSize
	}
	if n *= unit; n < 1 || n > biggest {
		return 0, fmt.Errorf("a message has from 1 byte to %d MiB", biggest>>20)
	}
	return int(n), nil
}

func checkSizes(v string) error {
	_, err := parseSizes(v)
	return err
}

// parseRate reads messages a second: 200, 0.5.
func parseRate(v string) (float64, error) {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n < 0.001 || n > 1e6 || strings.Trim(v, "0123456789.") != "" {
		return 0, errors.New("a rate is a number of messages a second, from 0.001 to 1000000")
	}
	return n, nil
}

func checkRate(v string) error {
	_, err := parseRate(v)
	return err
}

func checkThreshold(v string) error {
	_, err := load.ParseThreshold(v)
	return err
}
