package sandbox

import (
	"crypto/ecdsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"testing"
	"time"
)

// TestStaple reads the staple back, and holds it to RFC 6960 section 4.2.2.
func TestStaple(t *testing.T) {
	now := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	w := start(t, Options{Now: func() time.Time { return now }})
	c, err := handshake(t, w, "mx1.stapled.test:25", anyTLS(t, w))
	if err != nil {
		t.Fatal(err)
	}
	leaf, staple := c.ConnectionState().PeerCertificates[0], c.ConnectionState().OCSPResponse
	root, err := w.ca.root()
	if err != nil {
		t.Fatal(err)
	}
	var response ocspResponse
	var basic ocspBasic
	var data ocspData
	rest, err := asn1.Unmarshal(staple, &response)
	if err != nil || len(rest) > 0 || response.Status != 0 {
		t.Fatalf("%+v, %v", response, err)
	}
	if rest, err = asn1.Unmarshal(response.Bytes.Response, &basic); err != nil || len(rest) > 0 {
		t.Fatalf("%+v, %v", basic, err)
	}
	digest := sha256.Sum256(basic.Data.FullBytes)
	if !ecdsa.VerifyASN1(root.cert.PublicKey.(*ecdsa.PublicKey), digest[:], basic.Signature.Bytes) {
		t.Error("the authority did not sign it")
	}
	if rest, err = asn1.Unmarshal(basic.Data.FullBytes, &data); err != nil || len(rest) > 0 || len(data.Responses) != 1 {
		t.Fatalf("%+v, %v", data, err)
	}
	one, name := data.Responses[0], sha1.Sum(leaf.RawIssuer)
	if one.ID.Serial.Cmp(leaf.SerialNumber) != 0 || string(one.ID.NameHash) != string(name[:]) || !bool(one.Good) {
		t.Errorf("about another certificate: %+v", one)
	}
	if !one.ThisUpdate.Equal(now.Add(-time.Hour)) || !one.NextUpdate.Equal(now.Add(4*day)) {
		t.Errorf("from %s until %s", one.ThisUpdate, one.NextUpdate)
	}
	if c, err = handshake(t, w, "mx1.good.test:25", anyTLS(t, w)); err != nil || c.ConnectionState().OCSPResponse != nil {
		t.Errorf("a staple where none is: %v", err)
	}
}
