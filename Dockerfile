# syntax=docker/dockerfile:1
# Two small images of one build: `docker build --target starter .` and `--target worker`.
# Static binaries without a shell, running as nobody in particular (uid 65532).

FROM --platform=$BUILDPLATFORM golang:1.26.8-alpine AS build
WORKDIR /src

# Dependencies change seldom; their layer is kept while the code changes.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

COPY . .
ARG TARGETOS
ARG TARGETARCH
# CGO off: the image has no C library. -trimpath: the same source gives the same bytes.
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH GOFLAGS=-mod=readonly \
    go build -trimpath -buildvcs=false -ldflags="-s -w" -o /out/ ./starter ./worker

# Holds certificates of public authorities, time zones and the user; nothing that can be run.
FROM gcr.io/distroless/static-debian12:nonroot AS base
USER nonroot:nonroot
WORKDIR /home/nonroot

FROM base AS starter
COPY --from=build /out/starter /starter
EXPOSE 8080
# The binary asks itself: there is no curl here.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["/starter", "healthcheck"]
ENTRYPOINT ["/starter"]

FROM base AS worker
COPY --from=build /out/worker /worker
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["/worker", "healthcheck"]
ENTRYPOINT ["/worker"]
