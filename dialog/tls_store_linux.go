package dialog

import (
	"os"
	"path/filepath"
	"strings"
)

// byFiles reports that the store is files, as crypto/x509 has it on this system:
// the first file that there is, and all directories.
const byFiles = true

// storeFile is the store's one file: SSL_CERT_FILE's, or the first of those that
// distributions have. Without one, the path is "".
func storeFile() (path string, text []byte) {
	files := []string{
		debianBundle,                                        // Arch and Gentoo too
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/pki/tls/cacert.pem",                           // OpenELEC
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // CentOS
		"/etc/ssl/cert.pem",                                 // Alpine
	}
	if own := os.Getenv("SSL_CERT_FILE"); own != "" {
		files = []string{own}
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			return file, text
		}
	}
	return "", nil
}

const debianBundle = "/etc/ssl/certs/ca-certificates.crt"

// storeDirectories are the texts of the files in the store's directories:
// SSL_CERT_DIR's, or those that distributions have; but for the file that was read
// already, and what update-ca-certificates has put into it.
func storeDirectories(read string) [][]byte {
	dirs := []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}
	if own := os.Getenv("SSL_CERT_DIR"); own != "" {
		dirs = strings.Split(own, ":")
	}
	var texts [][]byte
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if path == read || filepath.Dir(read) == dir && read == debianBundle && bundled(path, e) {
				continue
			}
			if text, err := os.ReadFile(path); err == nil {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

// bundled reports whether a file of Debian's directory stands in its bundle: a link to
// where packages and the administrator put certificates, or one by a hash to such a
// link (update-ca-certificates(8)).
func bundled(path string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return false
	}
	hash, number, _ := strings.Cut(e.Name(), ".")
	if len(hash) == 8 && strings.Trim(hash, "0123456789abcdef") == "" && len(number) == 1 && '0' <= number[0] && number[0] <= '9' {
		return true
	}
	to, err := os.Readlink(path)
	return err == nil && strings.Contains(to, "/share/ca-certificates/")
}
