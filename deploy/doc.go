// Package deploy holds nothing but the tests of the files around it: NGINX carries real clients to a real bridge, the
// image's build commands run, the units are verified. They need NGINX, Ruby, Rails and Redis, so they are behind the
// build tag e2e:
//
//	go test -tags e2e -race -shuffle=on -count=1 ./deploy/...
//
// What this machine cannot run, Kubernetes and compose, is checked against the projects' own types and schema in the
// module schema beside it.
package deploy
