package route

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// SystemHosts is the path of the system's hosts file.
func SystemHosts() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("SystemRoot"), "System32", "drivers", "etc", "hosts")
	}
	return "/etc/hosts"
}

// HostsFile gives the addresses of host in the hosts file at path, in the order
// of the file. A file that does not exist has none.
func HostsFile(path, host string) ([]netip.Addr, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("hosts file: %w", err)
	}
	defer f.Close()
	host = strings.TrimSuffix(host, ".")
	var addrs []netip.Addr
	lines := bufio.NewScanner(io.LimitReader(f, maxFile))
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		named := slices.ContainsFunc(fields[1:], func(n string) bool {
			return strings.EqualFold(strings.TrimSuffix(n, "."), host)
		})
		if addr, err := netip.ParseAddr(fields[0]); err == nil && named && !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	if err := lines.Err(); err != nil {
		return addrs, fmt.Errorf("hosts file %s: %w", path, err)
	}
	return addrs, nil
}
