// Package e2e holds the black-box scenarios of Action Cable, run against stock Action Cable on Puma (the oracle) and
// against the cablestay binary in front of the same Rails app. Its tests need Ruby, Rails, Redis and Node, so they
// are behind the build tag e2e:
//
//	go test -tags e2e -race -shuffle=on -count=1 ./cmd/cablestay/e2e/...
//
// CABLESTAY_E2E_SERVER=stock|cablestay runs one half only; stock-with-gem shows that the gem alone changes nothing.
// CABLESTAY_E2E_RAILS_ROOT=DIR takes Ruby, Rails and Puma from the root folder DIR, which .ci/rails-root makes, instead of
// from this machine. CABLESTAY_E2E_BINARY=FILE takes a cablestay that was built before, instead of building one with the
// race detector. CABLESTAY_E2E_WORKERS=2 runs Puma with two workers. CABLESTAY_E2E_AT_HAND=0 has all objects travel as states, in
// Puma with one worker too (config.cablestay.at_hand).
//
// The same tests are the conformance suite: those that begin with states(t, …) prove statements about Action Cable's
// behaviour (statements_test.go), and CONFORMANCE.md says what came of them. CABLESTAY_CONFORMANCE=FILE writes that down;
// CABLESTAY_E2E_ONLY=statements skips all other tests; CABLESTAY_E2E_PATIENCE=5s is for a Cablestay that is broken on purpose
// (.ci/conformance-proof).
package e2e
