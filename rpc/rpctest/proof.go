package rpctest

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

type claims struct {
	jwt.RegisteredClaims
	Event  string `json:"event"`
	Digest string `json:"digest"`
}

// checkProof is as strict as the gem, and returns the event's id.
func checkProof(authorization, secret, event string, body []byte) (id string, err error) {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok {
		return "", errors.New("there is no proof")
	}
	said := new(claims)
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("cablestay"), jwt.WithAudience("cablestay-rails"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(30*time.Second))
	if _, err := parser.ParseWithClaims(token, said, func(*jwt.Token) (any, error) { return []byte(secret), nil }); err != nil {
		return "", fmt.Errorf("the proof is wrong: %w", err)
	}
	sum := sha256.Sum256(body)
	switch {
	case said.Event != event:
		return "", errors.New("the proof is of another event")
	case subtle.ConstantTimeCompare([]byte(said.Digest), []byte(hex.EncodeToString(sum[:]))) != 1:
		return "", errors.New("the proof is of another body")
	case said.ID == "" || said.IssuedAt == nil:
		return "", errors.New("the proof lacks a claim")
	}
	return said.ID, nil
}
