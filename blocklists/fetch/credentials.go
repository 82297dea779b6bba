package fetch

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const maxToken, maxRoots = 8 << 10, 4 << 20

// readToken is the bearer token in the file, "" for no path.
func readToken(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := readSmall(path, maxToken)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || !isPrintable(token) || strings.Contains(token, " ") {
		return "", fmt.Errorf("token file: %s does not hold a token: want one word of printable ASCII", path)
	}
	return token, nil
}

// readRoots are the authorities in the file, nil (the system's) for no path.
func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := readSmall(path, maxRoots)
	if err != nil {
		return nil, fmt.Errorf("CA file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("CA file: %s holds no certificate: want PEM", path)
	}
	return roots, nil
}

// readSmall is the content of a regular file of at most so many octets.
func readSmall(path string, most int64) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() { // opening a pipe could wait for ever
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = errors.New(path + " is too large")
	}
	return text, err
}
