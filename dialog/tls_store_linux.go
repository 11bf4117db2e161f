package dialog

import (
	"os"
	"path/filepath"
	"strings"
)

// byFiles reports that the store is files, as crypto/x509 has it on this system:
// the first file that there is, and all directories.
const byFiles = true

// storeFile is the text of the store's file: SSL_CERT_FILE's, or the first of those that
// distributions have.
func storeFile() []byte {
	files := []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Arch, Gentoo
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
			return text
		}
	}
	return nil
}

// storeDirectories are the texts of the files in the store's directories:
// SSL_CERT_DIR's, or those that distributions have. Left out is what was read already: a
// link by a file's hash, and what update-ca-certificates has put into the one file.
func storeDirectories() [][]byte {
	dirs, own := []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}, os.Getenv("SSL_CERT_DIR")
	if own != "" {
		dirs = strings.Split(own, ":")
	}
	var texts [][]byte
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if own == "" && e.Type()&os.ModeSymlink != 0 {
				if hashed(e.Name()) {
					continue
				}
				if to, err := os.Readlink(path); err == nil && strings.Contains(to, "/share/ca-certificates/") {
					continue
				}
			}
			if text, err := os.ReadFile(path); err == nil {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

// hashed reports whether a name is one that c_rehash gives a link: 002c0b4f.0.
func hashed(name string) bool {
	hash, number, _ := strings.Cut(name, ".")
	return len(hash) == 8 && strings.Trim(hash, "0123456789abcdef") == "" && len(number) == 1 && '0' <= number[0] && number[0] <= '9'
}
