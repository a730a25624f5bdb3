// Package schema checks the manifests that a single machine cannot run: Kubernetes' against its own API types,
// strictly, and compose's with compose's own loader. It is a module of its own so that the bridge depends on neither.
package schema
