#!/bin/sh
# Make podman ready to build the Dockerfile where there is no Docker engine (Debian, as root).
# Where no image registry can be reached, a stand-in for the base image is made of Debian's
# packages under the same name, so that the Dockerfile stays as it is.
set -eu
image=docker.io/library/python:3.12-slim

install_podman() {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    podman buildah runc containernetworking-plugins iptables catatonit mmdebstrap
}

# A whole CPython 3.12 where pyenv has one, else Debian's own.
find_python() {
  pyenv prefix 3.12 2>/dev/null || true
}

bootstrap() {
  if [ -n "$python" ]; then
    packages=libssl3,libsqlite3-0,libffi8,liblzma5,libbz2-1.0,zlib1g,libreadline8,libncursesw6,libexpat1
  else
    packages=python3,python3-pip,python3-venv
  fi
  mmdebstrap --quiet --variant=minbase --include="ca-certificates,$packages" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$work/base.tar"
}

copy_python() {
  tar -C "$python" --exclude='lib/python3.*/test' --exclude=__pycache__ --exclude='*.a' \
    --exclude='site-packages/*' -cf - bin lib include | tar -C "$root/usr/local" -xf -
  in_container 'ldconfig; ln -sf python3.12 /usr/local/bin/python3; python3 -m ensurepip --upgrade
    sed -i "1s|.*|#!/usr/local/bin/python3|" /usr/local/bin/pip3'
}

adopt_debian_python() {
  in_container 'rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
    ln -s /usr/bin/python3 /usr/bin/pip3 /usr/local/bin'
}

# Hosts behind a proxy that signs anew trust its authority; the image has to do so too.
trust_what_this_host_trusts() {
  cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
  in_container update-ca-certificates
}

in_container() {
  buildah run --isolation chroot "$container" -- sh -ec "$1"
}

make_stand_in() {
  work=$(mktemp -d)
  container=
  trap 'if [ -n "$container" ]; then buildah rm "$container" >/dev/null; fi; rm -r "$work"' EXIT
  python=$(find_python)
  bootstrap
  container=$(buildah from scratch)
  buildah add -q "$container" "$work/base.tar" / >/dev/null
  root=$(buildah mount "$container")
  trust_what_this_host_trusts
  if [ -n "$python" ]; then copy_python; else adopt_debian_python; fi
  in_container 'cd /usr/local/bin; ln -sf python3 python; ln -sf pip3 pip'
  buildah config --cmd python3 --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit -q "$container" "$image" >/dev/null
}

for program in podman buildah runc mmdebstrap; do
  command -v "$program" >/dev/null || { install_podman; break; }
done
podman image exists "$image" || podman pull -q "$image" || make_stand_in
# A host that may not run containers is told apart here from an image that is broken.
podman --runtime runc run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 "$image" true
