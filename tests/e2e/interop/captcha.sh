#!/bin/sh
# What ejabberd shows those who want to have an account: a PNG as far as it looks, with the answer behind its first bytes.
printf '\211PNG\r\n\032\n%s' "$1"
