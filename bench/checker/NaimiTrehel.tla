---------------------------- MODULE NaimiTrehel ----------------------------
(***************************************************************************)
(* Naimi-Trehel on one FIFO channel for each ordered pair of sites: the    *)
(* very system that Baton checks, for TLC.  14, 282, 9352, 440120 and      *)
(* 27195984 states for N = 2..6.                                           *)
(***************************************************************************)
EXTENDS Naturals, Sequences

CONSTANT N

Sites == 0 .. N - 1
Nil == N
Token == N

VARIABLES client, last, next, token, channel

vars == <<client, last, next, token, channel>>

Init ==
  /\ client = [i \in Sites |-> "idle"]
  /\ last = [i \in Sites |-> IF i = 0 THEN Nil ELSE 0]
  /\ next = [i \in Sites |-> Nil]
  /\ token = [i \in Sites |-> i = 0]
  /\ channel = [s \in Sites |-> [t \in Sites |-> <<>>]]

\* A REQUEST is its origin.
With(ch, s, t, message) == [ch EXCEPT ![s][t] = Append(@, message)]

Ask(i) ==
  /\ client[i] = "idle"
  /\ IF token[i]
       THEN /\ client' = [client EXCEPT ![i] = "inCS"]
            /\ UNCHANGED <<last, channel>>
       ELSE /\ client' = [client EXCEPT ![i] = "requesting"]
            /\ channel' = With(channel, i, last[i], i)
            /\ last' = [last EXCEPT ![i] = Nil]
  /\ UNCHANGED <<next, token>>

Release(i) ==
  /\ client[i] = "inCS"
  /\ client' = [client EXCEPT ![i] = "idle"]
  /\ IF next[i] = Nil
       THEN UNCHANGED <<next, token, channel>>
       ELSE /\ channel' = With(channel, i, next[i], Token)
            /\ next' = [next EXCEPT ![i] = Nil]
            /\ token' = [token EXCEPT ![i] = FALSE]
  /\ UNCHANGED last

Deliver(s, i) ==
  /\ channel[s][i] # <<>>
  /\ LET message == Head(channel[s][i])
         rest == [channel EXCEPT ![s][i] = Tail(@)]
     IN IF message = Token
          THEN /\ token' = [token EXCEPT ![i] = TRUE]
               /\ client' = [client EXCEPT ![i] = "inCS"]
               /\ channel' = rest
               /\ UNCHANGED <<last, next>>
          ELSE /\ last' = [last EXCEPT ![i] = message]
               /\ UNCHANGED client
               /\ CASE last[i] # Nil ->
                         /\ channel' = With(rest, i, last[i], message)
                         /\ UNCHANGED <<next, token>>
                    [] last[i] = Nil /\ token[i] /\ client[i] = "idle" ->
                         /\ channel' = With(rest, i, message, Token)
                         /\ token' = [token EXCEPT ![i] = FALSE]
                         /\ UNCHANGED next
                    [] OTHER ->
                         /\ channel' = rest
                         /\ next' = [next EXCEPT ![i] = message]
                         /\ UNCHANGED token

Next == \E i \in Sites : Ask(i) \/ Release(i) \/ \E s \in Sites : Deliver(s, i)

Spec == Init /\ [][Next]_vars
=============================================================================
