;; The inner loops over content bytes: where a chunk ends, and base64 lines in both directions.
;; Built into chunkerWasm.ts by tools/buildChunker.ts. Sizes and limits are arguments: they live in the .ts files.
;; All addresses must leave 16 readable and writable bytes after the ranges that are named.
(module
  (memory (import "host" "memory") 1)

  ;; End of the chunk whose scan starts at $from: the first address after a byte that leaves the gear hash below
  ;; $strict (up to $normal) or $loose (from there on), else $hard. No cut at or before $min; the bytes
  ;; [$from, $min) only fill the hash, whose 32 bits remember 32 bytes. $from <= $min <= $normal <= $hard.
  ;; The gear table is 256 little-endian u32 at address 0.
  (func (export "cut")
    (param $from i32) (param $min i32) (param $normal i32) (param $hard i32) (param $strict i32) (param $loose i32)
    (result i32)
    (local $hash i32) (local $limit i32) (local $end i32)
    (block $warm
      (loop $next
        (br_if $warm (i32.ge_u (local.get $from) (local.get $min)))
        (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
          (i32.load (i32.shl (i32.load8_u (local.get $from)) (i32.const 2)))))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $next)))
    (local.set $limit (local.get $strict))
    (local.set $end (local.get $normal))
    (loop $phase
      (block $rest
        (loop $four
          (br_if $rest (i32.lt_u (i32.sub (local.get $end) (local.get $from)) (i32.const 4)))
          (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
            (i32.load (i32.shl (i32.load8_u (local.get $from)) (i32.const 2)))))
          (if (i32.lt_u (local.get $hash) (local.get $limit))
            (then (return (i32.add (local.get $from) (i32.const 1)))))
          (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
            (i32.load (i32.shl (i32.load8_u offset=1 (local.get $from)) (i32.const 2)))))
          (if (i32.lt_u (local.get $hash) (local.get $limit))
            (then (return (i32.add (local.get $from) (i32.const 2)))))
          (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
            (i32.load (i32.shl (i32.load8_u offset=2 (local.get $from)) (i32.const 2)))))
          (if (i32.lt_u (local.get $hash) (local.get $limit))
            (then (return (i32.add (local.get $from) (i32.const 3)))))
          (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
            (i32.load (i32.shl (i32.load8_u offset=3 (local.get $from)) (i32.const 2)))))
          (local.set $from (i32.add (local.get $from) (i32.const 4)))
          (br_if $four (i32.ge_u (local.get $hash) (local.get $limit)))
          (return (local.get $from))))
      (block $done
        (loop $one
          (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
          (local.set $hash (i32.add (i32.shl (local.get $hash) (i32.const 1))
            (i32.load (i32.shl (i32.load8_u (local.get $from)) (i32.const 2)))))
          (local.set $from (i32.add (local.get $from) (i32.const 1)))
          (br_if $one (i32.ge_u (local.get $hash) (local.get $limit)))
          (return (local.get $from))))
      (if (i32.lt_u (local.get $end) (local.get $hard))
        (then
          (local.set $limit (local.get $loose))
          (local.set $end (local.get $hard))
          (br $phase))))
    (local.get $hard))

  ;; Decodes whole lines of $line characters (a multiple of 4, at least 16), each followed by $eol bytes (1: LF,
  ;; 2: CRLF), from $source up to $end into $target. Returns the address of the first line that is cut off by $end,
  ;; has another line end or holds anything outside the base64 alphabet ('=' included); what was
  ;; written for that line has no meaning.
  (func (export "decodeLines")
    (param $source i32) (param $end i32) (param $line i32) (param $eol i32) (param $target i32) (result i32)
    (local $bytes i32) (local $from i32) (local $to i32) (local $last i32) (local $wrong v128)
    (local.set $bytes (i32.mul (i32.shr_u (local.get $line) (i32.const 2)) (i32.const 3)))
    (block $stop
      (loop $lines
        (br_if $stop (i32.gt_u (i32.add (i32.add (local.get $source) (local.get $line)) (local.get $eol))
          (local.get $end)))
        (local.set $from (local.get $source))
        (local.set $to (local.get $target))
        (local.set $last (i32.sub (i32.add (local.get $source) (local.get $line)) (i32.const 16)))
        (local.set $wrong (v128.const i64x2 0 0))
        (block $tail
          (loop $blocks
            (br_if $tail (i32.ge_u (local.get $from) (local.get $last)))
            (local.set $wrong (v128.or (local.get $wrong)
              (call $decodeBlock (v128.load align=1 (local.get $from)) (local.get $to))))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $to (i32.add (local.get $to) (i32.const 12)))
            (br $blocks)))
        ;; The line's last 16 characters, overlapping what is already decoded.
        (local.set $wrong (v128.or (local.get $wrong)
          (call $decodeBlock (v128.load align=1 (local.get $last))
            (i32.sub (i32.add (local.get $target) (local.get $bytes)) (i32.const 12)))))
        (br_if $stop (v128.any_true (local.get $wrong)))
        (local.set $from (i32.add (local.get $source) (local.get $line)))
        (if (i32.eq (local.get $eol) (i32.const 2))
          (then (br_if $stop (i32.ne (i32.load16_u align=1 (local.get $from)) (i32.const 0x0a0d))))
          (else (br_if $stop (i32.ne (i32.load8_u (local.get $from)) (i32.const 0x0a)))))
        (local.set $source (i32.add (local.get $from) (local.get $eol)))
        (local.set $target (i32.add (local.get $target) (local.get $bytes)))
        (br $lines)))
    (local.get $source))

  ;; 16 characters to 12 bytes (and 4 without meaning) at $to; a lane of the answer is not 0 where a character is
  ;; outside the alphabet. Method: Wojciech Mula, http://0x80.pl/notesen/2016-01-17-sse-base64-decoding.html
  (func $decodeBlock (param $text v128) (param $to i32) (result v128)
    (local $high v128) (local $pairs v128)
    (local.set $high (i8x16.shr_u (local.get $text) (i32.const 4)))
    (local.set $pairs (i8x16.add (local.get $text)
      (i8x16.swizzle
        (v128.const i8x16 0 16 19 4 -65 -65 -71 -71 0 0 0 0 0 0 0 0)
        (i8x16.add (local.get $high) (i8x16.eq (local.get $text) (i8x16.splat (i32.const 0x2f)))))))
    (local.set $pairs (v128.or
      (v128.and (i16x8.shl (local.get $pairs) (i32.const 6)) (i16x8.splat (i32.const 0x0fc0)))
      (i16x8.shr_u (local.get $pairs) (i32.const 8))))
    (local.set $pairs (i32x4.dot_i16x8_s (local.get $pairs) (i32x4.splat (i32.const 0x00011000))))
    (v128.store align=1 (local.get $to)
      (i8x16.shuffle 2 1 0 6 5 4 10 9 8 14 13 12 3 7 11 15 (local.get $pairs) (local.get $pairs)))
    (v128.and
      (i8x16.swizzle
        (v128.const i8x16 0x15 0x11 0x11 0x11 0x11 0x11 0x11 0x11 0x11 0x11 0x13 0x1a 0x1b 0x1b 0x1b 0x1a)
        (v128.and (local.get $text) (i8x16.splat (i32.const 0x0f))))
      (i8x16.swizzle
        (v128.const i8x16 0x10 0x10 0x01 0x02 0x04 0x08 0x04 0x08 0x10 0x10 0x10 0x10 0x10 0x10 0x10 0x10)
        (local.get $high))))

  ;; Encodes whole lines of $bytes (a multiple of 3, at least 12) from $source up to $end, each closed by $eol bytes
  ;; (1: LF, 2: CRLF), to $target. Returns the address after the last one.
  (func (export "encodeLines")
    (param $source i32) (param $end i32) (param $bytes i32) (param $eol i32) (param $target i32) (result i32)
    (local $line i32) (local $from i32) (local $to i32) (local $last i32)
    (local.set $line (i32.shl (i32.div_u (local.get $bytes) (i32.const 3)) (i32.const 2)))
    (block $stop
      (loop $lines
        (br_if $stop (i32.gt_u (i32.add (local.get $source) (local.get $bytes)) (local.get $end)))
        (local.set $from (local.get $source))
        (local.set $to (local.get $target))
        (local.set $last (i32.sub (i32.add (local.get $source) (local.get $bytes)) (i32.const 12)))
        (block $tail
          (loop $blocks
            (br_if $tail (i32.ge_u (local.get $from) (local.get $last)))
            (v128.store align=1 (local.get $to) (call $encodeBlock (v128.load align=1 (local.get $from))))
            (local.set $from (i32.add (local.get $from) (i32.const 12)))
            (local.set $to (i32.add (local.get $to) (i32.const 16)))
            (br $blocks)))
        (local.set $to (i32.add (local.get $target) (local.get $line)))
        (v128.store align=1 (i32.sub (local.get $to) (i32.const 16))
          (call $encodeBlock (v128.load align=1 (local.get $last))))
        (if (i32.eq (local.get $eol) (i32.const 2))
          (then (i32.store16 align=1 (local.get $to) (i32.const 0x0a0d)))
          (else (i32.store8 (local.get $to) (i32.const 0x0a))))
        (local.set $source (i32.add (local.get $source) (local.get $bytes)))
        (local.set $target (i32.add (local.get $to) (local.get $eol)))
        (br $lines)))
    (local.get $target))

  ;; The first 12 bytes as 16 characters. Method: Wojciech Mula, http://0x80.pl/notesen/2016-01-12-sse-base64-encoding.html
  (func $encodeBlock (param $bytes v128) (result v128)
    (local $sextets v128)
    (local.set $bytes
      (i8x16.shuffle 2 1 0 0 5 4 3 3 8 7 6 6 11 10 9 9 (local.get $bytes) (local.get $bytes)))
    (local.set $sextets (v128.or
      (v128.or
        (v128.and (i32x4.shr_u (local.get $bytes) (i32.const 18)) (i32x4.splat (i32.const 0x3f)))
        (v128.and (i32x4.shr_u (local.get $bytes) (i32.const 4)) (i32x4.splat (i32.const 0x3f00))))
      (v128.or
        (v128.and (i32x4.shl (local.get $bytes) (i32.const 10)) (i32x4.splat (i32.const 0x3f0000)))
        (v128.and (i32x4.shl (local.get $bytes) (i32.const 24)) (i32x4.splat (i32.const 0x3f000000))))))
    (i8x16.add (local.get $sextets)
      (i8x16.swizzle
        (v128.const i8x16 71 -4 -4 -4 -4 -4 -4 -4 -4 -4 -4 -19 -16 65 0 0)
        (v128.or
          (i8x16.sub_sat_u (local.get $sextets) (i8x16.splat (i32.const 51)))
          (v128.and (i8x16.lt_s (local.get $sextets) (i8x16.splat (i32.const 26))) (i8x16.splat (i32.const 13))))))))
