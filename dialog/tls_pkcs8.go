package dialog

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

type encryptedKey struct { // RFC 5958 section 3
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2 struct { // RFC 8018 appendix A.4
	Derivation, Encryption pkix.AlgorithmIdentifier
}

type derivation struct { // RFC 8018 appendix A.2
	Salt   []byte
	Rounds int
	Length int                      `asn1:"optional"`
	PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
}

// decryptPKCS8 opens a private key that is encrypted by PBES2 with PBKDF2 and
// AES or Triple DES (RFC 5958, RFC 8018), as OpenSSL has written them since 1.1.
func decryptPKCS8(der []byte, passphrase transcript.Secret) ([]byte, error) {
	var key encryptedKey
	if err := unmarshalAll(der, &key); err != nil {
		return nil, err
	}
	if got := key.Algorithm.Algorithm.String(); got != "1.2.840.113549.1.5.13" {
		return nil, unknownScheme(got)
	}
	var scheme pbes2
	if err := unmarshalAll(key.Algorithm.Parameters.FullBytes, &scheme); err != nil {
		return nil, err
	}
	newCipher, size, err := cipherOf(scheme.Encryption)
	if err != nil {
		return nil, err
	}
	if got := scheme.Derivation.Algorithm.String(); got != "1.2.840.113549.1.5.12" {
		return nil, unknownScheme(got)
	}
	var kdf derivation
	if err := unmarshalAll(scheme.Derivation.Parameters.FullBytes, &kdf); err != nil {
		return nil, err
	}
	prf, err := prfOf(kdf.PRF)
	switch {
	case err != nil:
		return nil, err
	case kdf.Rounds < 1 || kdf.Rounds > maxKeyRounds:
		return nil, fmt.Errorf("the passphrase is to be hashed %d times; up to %d are done", kdf.Rounds, maxKeyRounds)
	}
	secret, err := pbkdf2.Key(prf, passphrase.Reveal(), kdf.Salt, kdf.Rounds, size)
	if err != nil {
		return nil, err
	}
	block, err := newCipher(secret)
	if err != nil {
		return nil, err
	}
	var iv []byte
	if err := unmarshalAll(scheme.Encryption.Parameters.FullBytes, &iv); err != nil {
		return nil, err
	}
	n := block.BlockSize()
	if len(iv) != n || len(key.Data) == 0 || len(key.Data)%n != 0 {
		return nil, errors.New("the encrypted data is cut short")
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(key.Data, key.Data)
	return unpad(key.Data, n)
}

// unpad takes off the padding (RFC 8018 section 6.1.1), which a wrong
// passphrase makes nonsense of, but for one time in 256.
func unpad(data []byte, block int) ([]byte, error) {
	pad := int(data[len(data)-1])
	if pad < 1 || pad > block {
		return nil, ErrWrongPassphrase
	}
	for _, b := range data[len(data)-pad:] {
		if int(b) != pad {
			return nil, ErrWrongPassphrase
		}
	}
	return data[:len(data)-pad], nil
}

func cipherOf(id pkix.AlgorithmIdentifier) (newCipher func([]byte) (cipher.Block, error), keySize int, err error) {
	switch got := id.Algorithm.String(); got {
	case "2.16.840.1.101.3.4.1.2": // aes128-CBC
		return aes.NewCipher, 16, nil
	case "2.16.840.1.101.3.4.1.22":
		return aes.NewCipher, 24, nil
	case "2.16.840.1.101.3.4.1.42":
		return aes.NewCipher, 32, nil
	case "1.2.840.113549.3.7": // des-EDE3-CBC
		return des.NewTripleDESCipher, 24, nil
	default:
		return nil, 0, unknownScheme(got)
	}
}

func prfOf(id pkix.AlgorithmIdentifier) (func() hash.Hash, error) {
	switch got := id.Algorithm.String(); got {
	case "", "1.2.840.113549.2.7": // the default, HMAC with SHA-1
		return sha1.New, nil
	case "1.2.840.113549.2.8":
		return sha256.New224, nil
	case "1.2.840.113549.2.9":
		return sha256.New, nil
	case "1.2.840.113549.2.10":
		return sha512.New384, nil
	case "1.2.840.113549.2.11":
		return sha512.New, nil
	default:
		return nil, unknownScheme(got)
	}
}

func unknownScheme(oid string) error {
	return fmt.Errorf("it is encrypted in a way that is not known here (%s): openssl pkey -in KEY -aes256 -out NEW writes one that is", oid)
}

// unmarshalAll parses DER with nothing behind it.
func unmarshalAll(der []byte, value any) error {
	rest, err := asn1.Unmarshal(der, value)
	if err == nil && len(rest) > 0 {
		err = errors.New("bytes behind its end")
	}
	return err
}
