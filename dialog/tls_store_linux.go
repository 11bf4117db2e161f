package dialog

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// byFiles reports that the store is files, as crypto/x509 has it on this system:
// the first file that there is, and all directories.
const byFiles = true

// storeFiles are the files of which the first that there is is the store's one file:
// SSL_CERT_FILE's, or those that distributions have.
func storeFiles() []string {
	if own := os.Getenv("SSL_CERT_FILE"); own != "" {
		return []string{own}
	}
	return []string{
		debianBundle,                                        // Arch and Gentoo too
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/pki/tls/cacert.pem",                           // OpenELEC
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // CentOS
		"/etc/ssl/cert.pem",                                 // Alpine
	}
}

const debianBundle = "/etc/ssl/certs/ca-certificates.crt"

// storeDirectories are the files in the store's directories: SSL_CERT_DIR's, or those
// that distributions have; but for the file that was read already, and what
// update-ca-certificates has put into it.
func storeDirectories(read string) []string {
	dirs := []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}
	if own := os.Getenv("SSL_CERT_DIR"); own != "" {
		dirs = strings.Split(own, ":")
	}
	var paths []string
	for _, dir := range dirs {
		d, err := os.Open(dir)
		if err != nil {
			continue
		}
		bundle := read == debianBundle && filepath.Dir(read) == filepath.Clean(dir)
		entries, _ := d.ReadDir(-1)
		for _, e := range entries {
			if t := e.Type(); t&^os.ModeSymlink != 0 || bundle && bundled(int(d.Fd()), e) {
				continue
			}
			if path := filepath.Join(dir, e.Name()); path != read {
				paths = append(paths, path)
			}
		}
		d.Close()
	}
	return paths
}

// bundled reports whether an entry of Debian's directory stands in its bundle: a link to
// where packages and the administrator put certificates, or one by a hash to such a
// link (update-ca-certificates(8)).
func bundled(dir int, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return false
	}
	hash, number, _ := strings.Cut(e.Name(), ".")
	if len(hash) == 8 && strings.Trim(hash, "0123456789abcdef") == "" && len(number) == 1 && '0' <= number[0] && number[0] <= '9' {
		return true
	}
	var to [256]byte
	n, err := unix.Readlinkat(dir, e.Name(), to[:])
	return err == nil && bytes.Contains(to[:n], []byte("/share/ca-certificates/"))
}
