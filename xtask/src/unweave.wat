;; The way back from what weave.rs has made of the wasm. In a page it takes a tenth of the time that JavaScript takes which
;; has never run before.
;;
;; The first 20 bytes of the memory say where each stream is: PLAIN 0, OFFSETS 4, CONSTANTS 8, LOCALS 12, BRANCHES 16; they lie
;; one behind the other. PLAIN has everything in its order but for the immediates that have a stream of their own, and the sizes
;; of functions. A stream is text in UTF-8, one character a byte, exclusive or 64.
(module
  (memory (export "memory") 1)
  ;; Where the next byte of the wasm goes.
  (global $out (mut i32) (i32.const 0))

  ;; Copies a byte, and says which.
  (func $byte (param $stream i32) (result i32)
    (local $at i32)
    (local $byte i32)
    (local.set $at (i32.load (local.get $stream)))
    (local.set $byte (i32.load8_u (local.get $at)))
    ;; From 128 on there are two: 110000yy 10xxxxxx.
    (if (i32.gt_u (local.get $byte) (i32.const 127))
      (then
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $byte
          (i32.or
            (i32.and (i32.shl (local.get $byte) (i32.const 6)) (i32.const 192))
            (i32.and (i32.load8_u (local.get $at)) (i32.const 63))))))
    (i32.store (local.get $stream) (i32.add (local.get $at) (i32.const 1)))
    (local.set $byte (i32.xor (local.get $byte) (i32.const 64)))
    (i32.store8 (global.get $out) (local.get $byte))
    (global.set $out (i32.add (global.get $out) (i32.const 1)))
    (local.get $byte))

  ;; Copies bytes of PLAIN.
  (func $bytes (param $count i32)
    (loop $next
      (if (local.get $count)
        (then
          (drop (call $byte (i32.const 0)))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br $next)))))

  ;; Copies a number in LEB128, and says which, where it has no sign. Most of the time goes by in here: so it does by itself what
  ;; $byte does.
  (func $number (param $stream i32) (result i32)
    (local $at i32)
    (local $out i32)
    (local $byte i32)
    (local $value i32)
    (local $shift i32)
    (local.set $at (i32.load (local.get $stream)))
    (local.set $out (global.get $out))
    (loop $next
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.gt_u (local.get $byte) (i32.const 127))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $byte
            (i32.or
              (i32.and (i32.shl (local.get $byte) (i32.const 6)) (i32.const 192))
              (i32.and (i32.load8_u (local.get $at)) (i32.const 63))))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $byte (i32.xor (local.get $byte) (i32.const 64)))
      (i32.store8 (local.get $out) (local.get $byte))
      (local.set $out (i32.add (local.get $out) (i32.const 1)))
      (local.set $value
        (i32.or
          (local.get $value)
          (i32.shl (i32.and (local.get $byte) (i32.const 127)) (local.get $shift))))
      (local.set $shift (i32.add (local.get $shift) (i32.const 7)))
      (br_if $next (i32.gt_u (local.get $byte) (i32.const 127))))
    (i32.store (local.get $stream) (local.get $at))
    (global.set $out (local.get $out))
    (local.get $value))

  ;; Copies numbers.
  (func $numbers (param $stream i32) (param $count i32)
    (loop $next
      (if (local.get $count)
        (then
          (drop (call $number (local.get $stream)))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br $next)))))

  ;; Copies a function: groups of locals, then instructions up to the end that is its own.
  (func $body
    (local $count i32)
    (local $depth i32)
    (local $code i32)
    (local.set $count (call $number (i32.const 0)))
    (loop $group
      (if (local.get $count)
        (then
          (drop (call $number (i32.const 0)))
          (call $bytes (i32.const 1))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br $group))))
    (local.set $depth (i32.const 1))
    (loop $instruction
      (block $done
        (local.set $code (call $byte (i32.const 0)))
        ;; local.*
        (if (i32.lt_u (i32.sub (local.get $code) (i32.const 0x20)) (i32.const 3))
          (then (drop (call $number (i32.const 12))) (br $done)))
        ;; Loads and stores.
        (if (i32.lt_u (i32.sub (local.get $code) (i32.const 0x28)) (i32.const 0x17))
          (then (drop (call $number (i32.const 0))) (drop (call $number (i32.const 4))) (br $done)))
        ;; i32.const
        (if (i32.eq (local.get $code) (i32.const 0x41))
          (then (drop (call $number (i32.const 8))) (br $done)))
        ;; end
        (if (i32.eq (local.get $code) (i32.const 0x0b))
          (then (local.set $depth (i32.sub (local.get $depth) (i32.const 1))) (br $done)))
        ;; br, br_if
        (if (i32.eq (i32.and (local.get $code) (i32.const 0xfe)) (i32.const 0x0c))
          (then (drop (call $number (i32.const 16))) (br $done)))
        ;; block, loop, if
        (if (i32.lt_u (i32.sub (local.get $code) (i32.const 2)) (i32.const 3))
          (then
            (local.set $depth (i32.add (local.get $depth) (i32.const 1)))
            (drop (call $number (i32.const 0)))
            (br $done)))
        ;; br_table, and its default
        (if (i32.eq (local.get $code) (i32.const 0x0e))
          (then
            (call $numbers (i32.const 16) (i32.add (call $number (i32.const 16)) (i32.const 1)))
            (br $done)))
        ;; call_indirect
        (if (i32.eq (local.get $code) (i32.const 0x11))
          (then (call $numbers (i32.const 0) (i32.const 2)) (br $done)))
        ;; f64.const
        (if (i32.eq (local.get $code) (i32.const 0x44))
          (then (call $bytes (i32.const 8)) (br $done)))
        ;; Saturating conversions have no immediates; memory.init, memory.copy, table.init and table.copy have two, the other
        ;; operations on whole memories and tables one.
        (if (i32.eq (local.get $code) (i32.const 0xfc))
          (then
            (local.set $code (call $number (i32.const 0)))
            (if (i32.gt_u (local.get $code) (i32.const 7))
              (then
                (call $numbers
                  (i32.const 0)
                  (select
                    (i32.const 1)
                    (i32.const 2)
                    (i32.or (i32.and (local.get $code) (i32.const 1)) (i32.gt_u (local.get $code) (i32.const 14)))))))
            (br $done)))
        ;; call, global.*, table.*, memory.size, memory.grow, i64.const, ref.null, ref.func
        (br_if $done
          (i32.eqz
            (i32.or
              (i32.or
                (i32.eq (local.get $code) (i32.const 0x10))
                (i32.lt_u (i32.sub (local.get $code) (i32.const 0x23)) (i32.const 0x20)))
              (i32.eq (i32.and (local.get $code) (i32.const 0xfd)) (i32.const 0xd0)))))
        (drop (call $number (i32.const 0))))
      (br_if $instruction (local.get $depth))))

  ;; Copies a function, with its size in front.
  (func $function
    (local $start i32)
    (local $size i32)
    (local $width i32)
    (local.set $start (global.get $out))
    (call $body)
    (local.set $size (i32.sub (global.get $out) (local.get $start)))
    ;; The size is a number of one to three bytes.
    (local.set $width
      (i32.add
        (i32.const 1)
        (i32.add
          (i32.gt_u (local.get $size) (i32.const 0x7f))
          (i32.gt_u (local.get $size) (i32.const 0x3fff)))))
    (memory.copy (i32.add (local.get $start) (local.get $width)) (local.get $start) (local.get $size))
    (global.set $out (i32.add (global.get $out) (local.get $width)))
    (loop $next
      (i32.store8
        (local.get $start)
        (i32.or (local.get $size) (i32.shl (i32.gt_u (local.get $size) (i32.const 127)) (i32.const 7))))
      (local.set $start (i32.add (local.get $start) (i32.const 1)))
      (local.set $size (i32.shr_u (local.get $size) (i32.const 7)))
      (br_if $next (local.get $size))))

  ;; Puts the wasm to `out`, and says where it ends.
  (func (export "unweave") (param $out i32) (result i32)
    (local $end i32)
    (local $section i32)
    (local $count i32)
    (global.set $out (local.get $out))
    ;; PLAIN ends where OFFSETS begins.
    (local.set $end (i32.load (i32.const 4)))
    (call $bytes (i32.const 8))
    (loop $sections
      (if (i32.lt_u (i32.load (i32.const 0)) (local.get $end))
        (then
          (local.set $section (call $byte (i32.const 0)))
          (local.set $count (call $number (i32.const 0)))
          (if (i32.eq (local.get $section) (i32.const 10))
            (then
              (local.set $count (call $number (i32.const 0)))
              (loop $next
                (if (local.get $count)
                  (then
                    (call $function)
                    (local.set $count (i32.sub (local.get $count) (i32.const 1)))
                    (br $next)))))
            (else (call $bytes (local.get $count))))
          (br $sections))))
    (global.get $out)))
