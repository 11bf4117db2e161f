package dialog

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// readsFiles reports whether the store is files, as crypto/x509 has it on this system:
// the first file that there is, and all directories. A pipe, like a shell's <(...), can be
// read once: it is left to crypto/x509, which remembers it.
func readsFiles() bool {
	info, err := os.Stat(os.Getenv("SSL_CERT_FILE"))
	return err != nil || info.Mode()&os.ModeNamedPipe == 0
}

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

// bundled reports whether an entry of Debian's directory is read elsewhere: in the bundle
// stands what is linked to where packages and the administrator put certificates
// (update-ca-certificates(8)); a link within the directory, as by a hash, is another
// entry's name.
func bundled(dir int, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return false
	}
	var to [256]byte
	n, err := unix.Readlinkat(dir, e.Name(), to[:])
	return err == nil && (bytes.IndexByte(to[:n], '/') < 0 || bytes.Contains(to[:n], []byte("/share/ca-certificates/")))
}
