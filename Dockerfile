# The bridge alone: a static binary, the certificates for rediss://, and nothing else.
#
#   docker build --build-arg VERSION=0.1.0 -t cablestay .
#   docker run -e CABLESTAY_SECRET -e CABLESTAY_RAILS_URL=http://rails:3000 -p 8080:8080 cablestay

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src

# Modules first: a change in our own sources does not download them again.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG VERSION=dev
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /src/out/cablestay ./cmd/cablestay

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/out/cablestay /cablestay

# A number, so that runAsNonRoot can be checked without a /etc/passwd.
USER 65532:65532
# Cable sockets. Health and metrics stay on 127.0.0.1:9292 unless CABLESTAY_OPS_LISTEN says otherwise.
EXPOSE 8080
# There is no shell and no curl here: the binary asks its own /readyz.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/cablestay", "health"]
ENTRYPOINT ["/cablestay"]
