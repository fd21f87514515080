# Read by testssl.sh before itself (BASH_ENV): five of its functions, which start hundreds of processes, said in bash
# alone. It cannot define them anew: they are read-only.

# Lines of hexadecimal digits with commas and comments as printf's escapes, in NW_STR.
code2network() {
  local rest=$1 line
  NW_STR=
  while [[ -n $rest ]]; do
    line=${rest%%$'\n'*}
    if [[ $line == "$rest" ]]; then rest=; else rest=${rest#*$'\n'}; fi
    line=${line%%"# "*}
    line=${line//,/\\x}
    NW_STR+=${line//[[:blank:]]/}
  done
}

# The suites that testssl.sh knows, by the names that openssl has for them.
prepare_arrays() {
  local code name mac known
  local -i i=0
  local -A names=()
  while read -r code _ name _; do names[$code]=$name; done < <(actually_supported_osslciphers 'ALL:COMPLEMENTOFALL:@STRENGTH' 'ALL' "-no_ssl2 -V")
  TLS13_OSSL_CIPHERS=
  while read -r code _ TLS_CIPHER_OSSL_NAME[i] TLS_CIPHER_RFC_NAME[i] TLS_CIPHER_SSLVERS[i] TLS_CIPHER_KX[i] TLS_CIPHER_AUTH[i] TLS_CIPHER_ENC[i] mac TLS_CIPHER_EXPORT[i]; do
    TLS_CIPHER_HEXCODE[i]=$code
    known=${names[$code]:-}
    TLS_CIPHER_OSSL_SUPPORTED[i]=false
    if [[ -n $known ]]; then
      TLS_CIPHER_OSSL_SUPPORTED[i]=true
      TLS_CIPHER_OSSL_NAME[i]=$known
      if [[ ${code:2:2} == 13 ]]; then TLS13_OSSL_CIPHERS+=":$known"; fi
    fi
    i+=1
  done <"$CIPHERS_BY_STRENGTH_FILE"
  TLS_NR_CIPHERS=$i
  TLS13_OSSL_CIPHERS=${TLS13_OSSL_CIPHERS:1}
}
readonly -f code2network prepare_arrays

# Time passes without a process: nothing ever comes from this pipe.
exec 9<> <(:)
sleep() { read -rt "$1" -u 9 || :; }

# Waits for a process, at most so many seconds.
wait_kill() {
  local -i turns=$(($2 * 50))
  HAD_SLEPT=0
  while kill -0 "$1" 2>/dev/null; do
    if ((turns-- <= 0)); then
      kill "$1" 2>/dev/null
      wait "$1" 2>/dev/null
      return 3
    fi
    sleep 0.02
  done
  return 0
}

# A length of one or two bytes in hexadecimal digits as two bytes, in LEN_STR.
len2twobytes() {
  local padded=000$1
  padded=${padded: -4}
  LEN_STR="${padded:0:2}, ${padded:2:2} "
}
readonly -f sleep wait_kill len2twobytes
