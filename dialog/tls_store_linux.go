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
// link to another file of the same directory, which is that file under its hash, and
// where there is the one file, what update-ca-certificates has put into it.
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
			if e.Type()&os.ModeSymlink != 0 {
				to, _ := os.Readlink(path)
				if !strings.Contains(to, "/") || own == "" && strings.Contains(to, "/share/ca-certificates/") {
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
