package rpc

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// What every proof says, and how long it is good for (README.md, "Proof").
const (
	proofIssuer   = "cablestay"
	proofAudience = "cablestay-rails"
	proofLifetime = 60 * time.Second
)

// prove signs one try of an event: a proof is never used twice, so that it may be short-lived however long an event
// is tried.
func prove(secret []byte, event, id, digest string, now time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss":    proofIssuer,
		"aud":    proofAudience,
		"iat":    now.Unix(),
		"exp":    now.Add(proofLifetime).Unix(),
		"jti":    id,
		"event":  event,
		"digest": digest,
	}).SignedString(secret)
}

// digestOf is the claim that binds a proof to a body.
func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
