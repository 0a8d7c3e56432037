"""
What became of each request, as far as an upstream can prove it.

A request is *received* once a Pong answers a Ping that was sent after it on the
same link. What was not received when its link broke is asked again on the next
one under an id of its own, so that each id is one request and one only: what
may have become of the first is no matter, and of the second all is known.

No input or output, no clock: moments (monotonic seconds) come as arguments.
"""
import collections
import json

from traffic import ERROR, REFUSED, RIGHT

EXAMPLES = 3
# A link that stood so long after its first receipt was a chance to be answered.
CHANCE_SECONDS = 1


class Copy:
    """A question as it was asked under one id."""

    __slots__ = ("ident", "question", "number", "repetition", "link", "asked_at",
                 "received_at", "verdict", "answer", "answered_on", "confirmed")

    def __init__(self, question, number, repetition, link, now):
        self.ident = f"q{number}.{repetition}" if repetition else f"q{number}"
        self.question = question
        self.number = number
        self.repetition = repetition
        self.link = link
        self.asked_at = now
        self.received_at = None
        self.verdict = None
        self.answer = None  # the first that came
        self.answered_on = []  # links, one for each answer
        self.confirmed = False  # the peer provably knows that we have the answer


class LinkRecord:
    """What is known of one link."""

    def __init__(self, number, now):
        self.number = number
        self.opened = now
        self.ended = None
        self.close_code = None
        self.first_receipt = None
        self.asked = 0
        self.unreceived = collections.deque()  # (place, Copy), in order
        self.pings = {}  # payload: (how many were asked before it, what it confirms)
        self.answered = []  # copies whose answers no Ping has followed yet
        self.ponged = []  # those whose Ping we have answered
        self.saw_newer = False  # an answer to what was asked on this link


class Tally:
    """All requests, links and answers, and everything that is against the rules."""

    def __init__(self, ttl):
        self.ttl = ttl
        self.copies = {}
        self.links = []
        self.unanswered = {}
        self.newest_received = float("-inf")  # when the newest received was asked
        self.questions = 0
        self.repeats = 0
        self.offences = collections.defaultdict(list)

    def offend(self, kind, what):
        self.offences[kind].append(what)

    # What we do

    def open_link(self, now):
        """A new link; gives it, and the questions that have to be asked again."""
        link = LinkRecord(len(self.links), now)
        again = [copy for old in self.links for _, copy in old.unreceived]
        # The older links may stand for us: a late Pong on them still counts.
        again = [copy for copy in again
                 if not copy.answered_on and not self._is_asked_again(copy)]
        for copy in again:
            self.unanswered.pop(copy.ident, None)
        self.links.append(link)
        return link, again

    def _is_asked_again(self, copy):
        return f"q{copy.number}.{copy.repetition + 1}" in self.copies

    def ask(self, link, question, now):
        """A new question; gives the text to be sent."""
        self.questions += 1
        return self._ask(link, Copy(question, self.questions, 0, link, now))

    def ask_again(self, link, copy, now):
        return self._ask(link, Copy(copy.question, copy.number, copy.repetition + 1, link, now))

    def _ask(self, link, copy):
        self.copies[copy.ident] = copy
        self.unanswered[copy.ident] = copy
        link.unreceived.append((link.asked, copy))
        link.asked += 1
        return copy.question.text(copy.ident)

    def ping(self, link, payload):
        """We send a Ping."""
        link.pings[payload] = (link.asked, link.ponged)
        link.ponged = []

    def end_link(self, link, now):
        if link.ended is None:
            link.ended = now

    # What the peer does

    def pong(self, link, payload, now):
        """A Pong came; gives whether it is one to a Ping of ours on this link."""
        if payload not in link.pings:
            self.offend("Pong to no Ping", payload.decode(errors="replace"))
            return False
        asked, confirmed = link.pings.pop(payload)
        for copy in confirmed:
            copy.confirmed = True
        while link.unreceived and link.unreceived[0][0] < asked:
            copy = link.unreceived.popleft()[1]
            copy.received_at = now
            self.newest_received = max(self.newest_received, copy.asked_at)
            if not copy.answered_on:
                self.unanswered[copy.ident] = copy
            if link.first_receipt is None:
                link.first_receipt = now
        return True

    def peer_ping(self, link):
        """A Ping came, which we answer at once: it may count on what came before."""
        link.ponged = link.ponged + link.answered
        link.answered = []

    def answer(self, link, text):
        try:
            ident = json.loads(text)["id"]
            copy = self.copies.get(ident)
        except (ValueError, KeyError, TypeError):
            copy = None
        if copy is None:
            self.offend("answer to nothing", text[:200])
            return
        if copy.received_at and link is not copy.link and \
                link.opened - copy.received_at > self.ttl:
            self.offend("sent though too old", copy.ident)
        if copy.answered_on:
            self._repeat(link, copy, text)
        else:
            self._first(copy, text)
        copy.answered_on.append(link)
        link.saw_newer |= copy.link is link
        link.answered.append(copy)

    def _first(self, copy, text):
        copy.answer = text
        copy.verdict = copy.question.judge(copy.ident, text)
        self.unanswered.pop(copy.ident, None)

    def _repeat(self, link, copy, text):
        self.repeats += 1
        if text != copy.answer:
            self.offend("repeat that differs", f"{copy.answer} | {text}")
        if link in copy.answered_on:
            self.offend("twice on one link", copy.ident)
        elif copy.confirmed:
            self.offend("repeated though confirmed", copy.ident)
        elif link.saw_newer and min(old.number for old in copy.answered_on) < link.number:
            self.offend("repeat after a newer answer", copy.ident)

    # What is left at the end

    def owed(self):
        """What has to be answered still."""
        return [copy for copy in self.unanswered.values() if not self._is_excused(copy)]

    def _is_excused(self, copy):
        """
        Whether the TTL was over before a link stood on which its answer had to
        come: one that did not break at once. Its first receipt shows it stands.
        """
        for link in self.links[copy.link.number + 1:]:
            if link.first_receipt is None:
                continue
            if link.first_receipt - copy.asked_at > self.ttl:
                return True
            if link.ended is None or link.ended - link.first_receipt > CHANCE_SECONDS:
                return False
        return False

    def summary(self, quarantined=()):
        """
        The figures. An error where a response was due is right only for what
        was `quarantined` (ids).
        """
        copies = self.copies.values()
        silent = [c for c in copies if c.received_at and not c.answered_on]
        never = [c for c in silent if not self._is_excused(c)]
        wrong = [c for c in copies if c.verdict not in (None, RIGHT, ERROR)
                 and not (c.verdict == REFUSED and c.ident in quarantined)]
        received = {c.number for c in copies if c.received_at or c.answered_on}
        unreceived = {c.number for c in copies} - received
        offences = dict(self.offences)
        offences |= {"wrong answer": [f"{c.question.text(c.ident)} | {c.answer}" for c in wrong],
                     "never answered": [c.ident for c in never],
                     "not received to the end": [f"q{number}" for number in unreceived]}
        return {
            "asked": len(copies),
            "again": len(copies) - self.questions,
            "received": sum(1 for c in copies if c.received_at),
            "right": sum(1 for c in copies if c.verdict == RIGHT),
            "error": sum(1 for c in copies if c.verdict in (ERROR, REFUSED)) -
                     sum(1 for c in wrong if c.verdict == REFUSED),
            "wrong": len(wrong),
            "twice": self.repeats,
            "never": len(never),
            "too_old": [c.ident for c in silent if c not in never],
            "links": len(self.links),
            "close_codes": [link.close_code for link in self.links],
            "offences": {kind: [len(all_), all_[:EXAMPLES]]
                         for kind, all_ in offences.items() if all_},
        }
