package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

var errCertsUsage = errors.New(`usage:
  controlplane certs init DIR                        a CA, the API server, the admin, the ServiceAccount keys
  controlplane certs client DIR NAME USER GROUP...   DIR/NAME.crt and .key, signed by that CA
  controlplane certs server DIR NAME HOST...         the same for a server; HOST is a DNS name or an IP address`)

func runCerts(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "init":
		return initCerts(args[1])
	case len(args) >= 4 && args[0] == "client":
		return issue(args[1], args[2], clientCertificate(args[3], args[4:]))
	case len(args) >= 4 && args[0] == "server":
		return issue(args[1], args[2], serverCertificate(args[3:]))
	}
	return errCertsUsage
}

func initCerts(dir string) error {
	ca := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "test CA"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if err := issue(dir, "ca", ca); err != nil {
		return err
	}
	hosts := []string{"127.0.0.1", "localhost", "10.0.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	if err := issue(dir, "kube-apiserver", serverCertificate(hosts)); err != nil {
		return err
	}
	if err := issue(dir, "admin", clientCertificate("admin", []string{"system:masters"})); err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	return writeKey(dir, "service-accounts", key)
}

func clientCertificate(user string, groups []string) *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func serverCertificate(hosts []string) *x509.Certificate {
	certificate := &x509.Certificate{
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			certificate.IPAddresses = append(certificate.IPAddresses, ip)
		} else {
			certificate.DNSNames = append(certificate.DNSNames, host)
		}
	}
	return certificate
}

// issue makes a P-256 key and has the CA in dir sign the certificate; a CA signs itself.
func issue(dir, name string, certificate *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	certificate.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	certificate.NotBefore = time.Now().Add(-time.Minute)
	certificate.NotAfter = time.Now().AddDate(1, 0, 0)

	signer, parent := crypto.PrivateKey(key), certificate
	if !certificate.IsCA {
		ca, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key"))
		if err != nil {
			return err
		}
		signer, parent = ca.PrivateKey, ca.Leaf
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, parent, key.Public(), signer)
	if err != nil {
		return err
	}
	if err := writePEM(dir, name+".crt", "CERTIFICATE", der); err != nil {
		return err
	}
	return writeKey(dir, name, key)
}

func writeKey(dir, name string, key crypto.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(dir, name+".key", "PRIVATE KEY", der)
}

func writePEM(dir, name, kind string, der []byte) error {
	return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
