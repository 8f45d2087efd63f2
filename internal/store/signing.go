package store

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// algEd25519 is how note names the algorithm of its keys.
const algEd25519 = 1

// NewSigningKey makes a key pair for the seals of a store. The name is that of the
// store's log of seals, such as audit.example.com: it is the first line of each
// checkpoint. Both are texts as golang.org/x/mod/sumdb/note has them.
func NewSigningKey(name string) (private, public string, err error) {
	private, public, err = note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", "", fmt.Errorf("make a key named %q: %w", name, err)
	}
	if _, err := note.NewVerifier(public); err != nil {
		return "", "", fmt.Errorf("%q cannot be the name of a key: it must not be empty or have spaces or a +", name)
	}
	return private, public, nil
}

// Signer signs checkpoints, and knows its own signatures.
type Signer struct {
	note.Signer
	Verifier note.Verifier
}

// ParseSigningKey reads a private key.
func ParseSigningKey(text string) (Signer, error) {
	text = strings.TrimSpace(text)
	signer, err := note.NewSigner(text)
	if err != nil {
		return Signer{}, errors.New("not a private key as ccdestroy store key makes them")
	}
	part := strings.Split(text, "+") // PRIVATE KEY name hash key; a key in base64 can have +
	key, err := base64.StdEncoding.DecodeString(strings.Join(part[4:], "+"))
	if err != nil || len(key) != 1+ed25519.SeedSize || key[0] != algEd25519 {
		return Signer{}, errors.New("not an Ed25519 key")
	}
	public, err := note.NewEd25519VerifierKey(signer.Name(), ed25519.NewKeyFromSeed(key[1:]).Public().(ed25519.PublicKey))
	if err != nil {
		return Signer{}, err
	}
	verifier, err := note.NewVerifier(public)
	return Signer{signer, verifier}, err
}

// Keys are the public keys that are trusted. After a change of the key they are the
// new one and those before it, all of one name.
type Keys []note.Verifier

// ParseKeys reads public keys.
func ParseKeys(texts []string) (keys Keys, err error) {
	for _, text := range texts {
		v, err := note.NewVerifier(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("%.80q is not a public key as ccdestroy store key prints it: NAME+HASH+KEY", text)
		}
		if len(keys) > 0 && keys[0].Name() != v.Name() {
			return nil, fmt.Errorf("keys of one name are wanted, not of %q and %q", keys[0].Name(), v.Name())
		}
		keys = append(keys, v)
	}
	return keys, nil
}
