package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// identity is a certificate authority of one run and a leaf for loopback that
// it has signed.
type identity struct {
	pool *x509.CertPool
	leaf tls.Certificate
	// The same in files, for programs that want paths.
	caFile, certFile, keyFile string
}

// newIdentity makes an identity and writes it into dir.
func newIdentity(dir string) (*identity, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a CA key: %w", err)
	}
	ca := certificate(1, "Mailmoor test CA")
	ca.IsCA, ca.KeyUsage = true, x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, fmt.Errorf("sign the CA: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a server key: %w", err)
	}
	leaf := certificate(2, "localhost")
	leaf.DNSNames = []string{"localhost"}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 2), net.IPv6loopback}
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, fmt.Errorf("sign the server's certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the server key: %w", err)
	}
	return writeIdentity(dir, caDER, leafDER, keyDER)
}

func writeIdentity(dir string, caDER, leafDER, keyDER []byte) (*identity, error) {
	id := &identity{
		pool:     x509.NewCertPool(),
		caFile:   filepath.Join(dir, "ca.pem"),
		certFile: filepath.Join(dir, "cert.pem"),
		keyFile:  filepath.Join(dir, "key.pem"),
	}
	for _, f := range []struct {
		path, kind string
		der        []byte
		mode       os.FileMode
	}{
		{id.caFile, "CERTIFICATE", caDER, 0o644},
		{id.certFile, "CERTIFICATE", leafDER, 0o644},
		{id.keyFile, "PRIVATE KEY", keyDER, 0o600},
	} {
		block := pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der})
		if err := writeFile(f.path, block, f.mode); err != nil {
			return nil, err
		}
	}
	ca, err := x509.ParseCertificate(caDER)
	if err != nil {
		return nil, err
	}
	id.pool.AddCert(ca)
	id.leaf, err = tls.LoadX509KeyPair(id.certFile, id.keyFile)
	return id, err
}

// writeFile is os.WriteFile whatever the umask is: the user of the server is often
// another one.
func writeFile(path string, data []byte, mode os.FileMode) error {
	return errors.Join(os.WriteFile(path, data, mode), os.Chmod(path, mode))
}

// certificate returns what CA and leaf have in common. They are valid from
// yesterday, so that a clock that is a little off does no harm.
func certificate(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-24 * time.Hour),
		NotAfter:              time.Now().Add(7 * 24 * time.Hour),
		BasicConstraintsValid: true,
	}
}
