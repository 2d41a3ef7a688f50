#!/bin/sh
echo "built in $(basename "$PWD")"
