package transfer

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
)

const (
	maxKeyFile = 8 << 10 // octets
	minSecret  = 16      // octets
	maxSecret  = 1 << 10
)

// Key is a TSIG key (RFC 8945) that we share with a primary. Its secret is in a file, which is read at each use, so that a new one
// needs no reload.
type Key struct {
	// Name of the key, as the primary knows it; "" if File has it.
	Name string
	// Algorithm is hmac-sha224, hmac-sha256, hmac-sha384 or hmac-sha512; "": what File says, else hmac-sha256.
	Algorithm string
	// SecretFile has the secret in base64 on a line of its own, or one key statement as tsig-keygen and keymgr write it for BIND:
	// key "name" { algorithm hmac-sha256; secret "…"; };
	SecretFile string
}

// secretKey is a key with its secret. It is never logged.
type secretKey struct {
	name      domain.Name
	algorithm domain.Name
	newHash   func() hash.Hash
	secret    []byte
}

// check says what is wrong with k without its file.
func (k *Key) check() error {
	if k.SecretFile == "" {
		return errors.New("TSIG: no SecretFile, want the path of a file with the secret in base64")
	}
	if k.Name != "" {
		if _, err := domain.Parse(k.Name); err != nil {
			return fmt.Errorf("TSIG: the key's name: %w", err)
		}
	}
	_, _, err := algorithmOf(k.Algorithm)
	return err
}

// load reads the secret. No error holds a part of the file.
func (k *Key) load() (*secretKey, error) {
	text, err := readKeyFile(k.SecretFile)
	if err != nil {
		return nil, err
	}
	found, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("TSIG key file %s: %w", k.SecretFile, err)
	}
	key, err := k.join(found)
	if err != nil {
		return nil, fmt.Errorf("TSIG key file %s: %w", k.SecretFile, err)
	}
	return key, nil
}

func readKeyFile(path string) (string, error) {
	info, err := os.Stat(path) // before it is opened: that could wait for ever
	if err != nil {
		return "", fmt.Errorf("read the TSIG secret: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("read the TSIG secret: %s is no regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the TSIG secret: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err != nil {
		return "", fmt.Errorf("read the TSIG secret: %w", err)
	}
	if len(text) > maxKeyFile {
		return "", fmt.Errorf("read the TSIG secret: %s has more than %d octets, want one secret", path, maxKeyFile)
	}
	return string(text), nil
}

// keyText is a key as a file has it; name and algorithm are "" if it has a secret only.
type keyText struct{ name, algorithm, secret string }

// join is the key that k and its file together describe.
func (k *Key) join(found keyText) (*secretKey, error) {
	name, err := agreed("name", k.Name, found.name)
	if err != nil {
		return nil, err
	}
	algorithm, err := agreed("algorithm", k.Algorithm, found.algorithm)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, errors.New("the key has no name: declare it, or write a key statement into the file")
	}
	key := &secretKey{}
	if key.name, err = domain.Parse(name); err != nil {
		return nil, fmt.Errorf("the key's name: %w", err)
	}
	if key.algorithm, key.newHash, err = algorithmOf(algorithm); err != nil {
		return nil, err
	}
	key.secret, err = base64.StdEncoding.DecodeString(found.secret)
	if err != nil {
		return nil, errors.New("the secret is not base64")
	}
	if len(key.secret) < minSecret || len(key.secret) > maxSecret {
		return nil, fmt.Errorf("the secret has %d octets, want %d to %d: tsig-keygen makes one", len(key.secret), minSecret, maxSecret)
	}
	return key, nil
}

// agreed is what is declared, or else found; both must be the same.
func agreed(what, declared, found string) (string, error) {
	plain := func(s string) string { return strings.ToLower(strings.TrimSuffix(s, ".")) }
	switch {
	case declared == "":
		return found, nil
	case found != "" && plain(found) != plain(declared):
		return "", fmt.Errorf("the file has a key of the %s %q, declared is %q", what, found, declared)
	default:
		return declared, nil
	}
}

// algorithmOf is the algorithm of a name as people write it (RFC 8945, section 6); "" is the default.
func algorithmOf(text string) (domain.Name, func() hash.Hash, error) {
	switch strings.ToLower(strings.TrimSuffix(text, ".")) {
	case "", "hmac-sha256":
		return domain.MustParse(dns.HmacSHA256), sha256.New, nil
	case "hmac-sha224":
		return domain.MustParse(dns.HmacSHA224), sha256.New224, nil
	case "hmac-sha384":
		return domain.MustParse(dns.HmacSHA384), sha512.New384, nil
	case "hmac-sha512":
		return domain.MustParse(dns.HmacSHA512), sha512.New, nil
	case "hmac-sha1", "hmac-md5", "hmac-md5.sig-alg.reg.int":
		return "", nil, fmt.Errorf("TSIG: algorithm %s is too weak, want hmac-sha256 or another SHA-2", text)
	default:
		return "", nil, fmt.Errorf("TSIG: algorithm %q, want hmac-sha224, hmac-sha256, hmac-sha384 or hmac-sha512", text)
	}
}

// parseKey reads a key file of either form.
func parseKey(text string) (keyText, error) {
	words, err := keyWords(text)
	if err != nil {
		return keyText{}, err
	}
	switch {
	case len(words) == 1 && words[0] != ";":
		return keyText{secret: words[0]}, nil
	case len(words) > 3 && words[0] == "key" && words[2] == "{":
		return parseStatement(words)
	default:
		return keyText{}, errors.New(`neither a secret on a line of its own nor key "name" { algorithm hmac-sha256; secret "…"; };`)
	}
}

// parseStatement reads: key NAME { {algorithm|secret WORD ;}… } ;
func parseStatement(words []string) (keyText, error) {
	key := keyText{name: words[1]}
	body := words[3:]
	for len(body) >= 3 && body[0] != "}" {
		if body[2] != ";" {
			return keyText{}, errors.New("a ; is missing behind a word of the key statement")
		}
		switch body[0] {
		case "algorithm":
			key.algorithm = body[1]
		case "secret":
			key.secret = body[1]
		default:
			return keyText{}, errors.New("the key statement has something that is neither algorithm nor secret")
		}
		body = body[3:]
	}
	switch {
	case len(body) == 0 || body[0] != "}" || len(body) > 2 || len(body) == 2 && body[1] != ";":
		return keyText{}, errors.New("the key statement does not end with }; or another statement follows: want one key a file")
	case key.secret == "" || key.algorithm == "":
		return keyText{}, errors.New("the key statement has no secret, or no algorithm")
	default:
		return key, nil
	}
}

// keyWords splits the text of a key file into words, strings without their quotes, and the marks { } and ; as BIND does. Comments
// begin with # or //, and what stands between /* and */ is one.
func keyWords(text string) (words []string, err error) {
	for text != "" {
		switch c := text[0]; {
		case strings.ContainsRune(" \t\r\n", rune(c)):
			text = text[1:]
		case c == '#' || strings.HasPrefix(text, "//"):
			_, text, _ = strings.Cut(text, "\n")
		case strings.HasPrefix(text, "/*"):
			_, text, _ = strings.Cut(text[2:], "*/")
		case strings.ContainsRune("{};", rune(c)):
			words, text = append(words, text[:1]), text[1:]
		case c == '"':
			word, rest, closed := strings.Cut(text[1:], `"`)
			if !closed {
				return nil, errors.New("a quoted word does not end")
			}
			words, text = append(words, word), rest
		default:
			end := strings.IndexAny(text, " \t\r\n{};\"#")
			if end < 0 {
				end = len(text)
			}
			words, text = append(words, text[:end]), text[end:]
		}
	}
	return words, nil
}
