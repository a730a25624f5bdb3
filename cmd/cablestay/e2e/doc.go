// Package e2e holds the black-box scenarios of Action Cable, run against stock Action Cable on Puma (the oracle) and
// against the cablestay binary in front of the same Rails app. Its tests need Ruby, Rails, Redis and Node, so they
// are behind the build tag e2e:
//
//	go test -tags e2e -race -shuffle=on -count=1 ./cmd/cablestay/e2e/...
//
// CABLESTAY_E2E_SERVER=stock|cablestay runs one half only; stock-with-gem shows that the gem alone changes nothing.
// CABLESTAY_E2E_RAILS_ROOT=DIR takes Ruby, Rails and Puma from the root folder DIR, which .ci/rails-root makes, instead of
// from this machine. CABLESTAY_E2E_BINARY=FILE takes a cablestay that was built before, instead of building one with the
// race detector.
package e2e
