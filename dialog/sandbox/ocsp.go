package sandbox

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"
)

// The parts of an OCSP response that says one certificate is good (RFC 6960
// section 4.2.1). What the issuer itself signs needs no certificates inside.
type (
	ocspResponse struct {
		Status asn1.Enumerated // 0: successful
		Bytes  ocspBytes       `asn1:"explicit,tag:0"`
	}
	ocspBytes struct {
		Type     asn1.ObjectIdentifier
		Response []byte
	}
	ocspBasic struct {
		Data      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	ocspData struct {
		KeyHash    []byte    `asn1:"explicit,tag:2"` // the responder: SHA-1 of its key
		ProducedAt time.Time `asn1:"generalized"`
		Responses  []ocspSingle
	}
	ocspSingle struct {
		ID         ocspID
		Good       asn1.Flag `asn1:"tag:0"`
		ThisUpdate time.Time `asn1:"generalized"`
		NextUpdate time.Time `asn1:"generalized,explicit,tag:0"`
	}
	ocspID struct {
		Hash     pkix.AlgorithmIdentifier
		NameHash []byte
		KeyHash  []byte
		Serial   *big.Int
	}
)

// staple makes an OCSP response by the issuer of l: l is good, as of an hour ago
// and for four days more.
func (a *authority) staple(l *link) ([]byte, error) {
	by := l.by
	if by == nil {
		by = l
	}
	name, key := sha1.Sum(by.cert.RawSubject), sha1.Sum(publicKey(by))
	now := a.now().UTC().Truncate(time.Second)
	data, err := asn1.Marshal(ocspData{KeyHash: key[:], ProducedAt: now.Add(-time.Hour), Responses: []ocspSingle{{
		ID: ocspID{
			Hash:     pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, Parameters: asn1.NullRawValue}, // SHA-1
			NameHash: name[:], KeyHash: key[:], Serial: l.cert.SerialNumber},
		Good:       true,
		ThisUpdate: now.Add(-time.Hour),
		NextUpdate: now.Add(4 * day),
	}}})
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(data)
	signature, err := by.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	basic, err := asn1.Marshal(ocspBasic{
		Data:      asn1.RawValue{FullBytes: data},
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}, // ecdsa-with-SHA256
		Signature: asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)},
	})
	if err != nil {
		return nil, err
	}
	id := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1} // id-pkix-ocsp-basic
	return asn1.Marshal(ocspResponse{Bytes: ocspBytes{Type: id, Response: basic}})
}

// publicKey is the key of l as hashes of it are made: without its algorithm.
func publicKey(l *link) []byte {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(l.cert.RawSubjectPublicKeyInfo, &info); err != nil {
		return nil
	}
	return info.Key.Bytes
}
