#!/bin/sh
# Builds the first process for each kind of processor, beside its source; `make first` calls it. It needs Debian's
# gcc, gcc-aarch64-linux-gnu and binutils of both.
set -eu
cd "$(dirname "$0")"
sha256=$(sha256sum first.c | cut -d ' ' -f 1)
for machine in x86_64 aarch64; do
  "$machine-linux-gnu-gcc" -std=c11 -Wall -Wextra -Werror -Os -ffreestanding -fno-stack-protector \
    -fno-asynchronous-unwind-tables -fno-pic -no-pie -static -nostdlib -nostartfiles \
    -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
    "-DSOURCE_SHA256=\"$sha256\"" -o "first-$machine" first.c
  "$machine-linux-gnu-strip" --strip-all --remove-section=.comment "first-$machine"
done
