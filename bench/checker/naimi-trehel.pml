/*
 * Naimi-Trehel on one FIFO channel for each ordered pair of sites: the very system that Baton checks, for SPIN.
 *
 *   spin -DN=5 -a naimi-trehel.pml && gcc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m200000
 *
 * Each rule is one d_step, so that SPIN's states are the protocol's: 14, 282, 9352, 440120, 27195984 for
 * N = 2..6. It counts one transition more, the step into the initial state.
 */
#ifndef N
#define N 3
#endif
#if N < 2 || N > 7
#error "N is 2 to 7"
#endif

/* No channel ever holds more: a smaller one would block a d_step, which SPIN reports as an error. */
#define CAPACITY 2

#define NIL N
/* On a channel: a REQUEST is its origin, 0..N-1. */
#define TOKEN N

#define idle 0
#define requesting 1
#define inCS 2

/* A channel costs 8 bytes of every state: none is declared from a site to itself. */
#define between(source, target) \
  link[(source) * (N - 1) + (target) - ((target) > (source) -> 1 : 0)]

chan link[N * (N - 1)] = [CAPACITY] of { byte };

/* Outside the state: alive within one d_step only. */
hidden byte arrived;

#define ARRIVE(source) \
  :: d_step { \
       _pid != source && nempty(between(source, _pid)) -> \
       between(source, _pid) ? arrived; \
       if \
       :: arrived == TOKEN -> \
            token = true; client = inCS \
       :: arrived != TOKEN && last == NIL && token && client == idle -> \
            between(_pid, arrived) ! TOKEN; token = false; last = arrived \
       :: arrived != TOKEN && last == NIL && !(token && client == idle) -> \
            next = arrived; last = arrived \
       :: arrived != TOKEN && last != NIL -> \
            between(_pid, last) ! arrived; last = arrived \
       fi \
     }

active [N] proctype site() {
  byte last = (_pid == 0 -> NIL : 0);
  byte next = NIL;
  byte client = idle;
  bool token = (_pid == 0);

  do
  :: d_step { client == idle && token -> client = inCS }
  :: d_step {
       client == idle && !token ->
       between(_pid, last) ! _pid; last = NIL; client = requesting
     }
  :: d_step {
       client == inCS ->
       if
       :: next != NIL -> between(_pid, next) ! TOKEN; next = NIL; token = false
       :: else
       fi;
       client = idle
     }
  ARRIVE(0)
  ARRIVE(1)
#if N > 2
  ARRIVE(2)
#endif
#if N > 3
  ARRIVE(3)
#endif
#if N > 4
  ARRIVE(4)
#endif
#if N > 5
  ARRIVE(5)
#endif
#if N > 6
  ARRIVE(6)
#endif
  od
}
