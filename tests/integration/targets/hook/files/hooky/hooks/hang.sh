#!/bin/sh
sleep 60 | cat
