"""A courier with an owner that does as a test says: courier_probe, its words and what it hears."""
import collections
import os
import re
import subprocess
import threading
import time

import poller

PROBE = os.path.join(poller.BUILD, 'tests', 'e2e', 'courier_probe')


class Owner:
    """One of the role ('master', name) or ('agent', name, site) at the broker of this URL. Lists and sets of what it has heard."""

    def __init__(self, *role_and_url):
        self.process = subprocess.Popen([PROBE, *role_and_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines, self.confirmed, self.returned = [], [], []
        self.taken, self.again = collections.Counter(), 0  # by number; deliveries that were not the first
        self.up, self.blocked, self.ups, self.downs, self.ended = set(), False, [], [], None
        self.courier = None
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        with self.process.stdout as said:
            for line in said:
                self.hear(*line.rstrip('\n').partition(' ')[::2])
                self.lines.append(line.rstrip('\n'))

    def hear(self, word, rest):
        if word == 'confirmed':
            self.confirmed.append(int(rest))
        elif word == 'returned':
            self.returned.append(int(rest))
        elif word == 'taken':
            number, deliveries, _ = map(int, rest.split())
            self.taken[number] += 1
            self.again += deliveries > 0
        elif word == 'up':
            self.up.add(int(rest))
            self.ups.append((time.monotonic(), int(rest)))
        elif word == 'down':
            self.up.discard(int(rest.split()[0]))
            self.downs.append(rest)
        elif word == 'blocked':
            self.blocked = rest == '1'
        elif word == 'ended':
            self.ended = rest
        elif word == 'courier':
            self.courier = int(rest)

    def both(self):
        return self.up == {1, 2}

    def say(self, words):
        self.process.stdin.write(words + '\n')
        self.process.stdin.flush()

    def site(self, name):
        """(known, ready, consumers), as the courier last said; None: it did not."""
        found = [re.fullmatch(rf'site {re.escape(name)} (\d) (\d+) (\d+)', line) for line in list(self.lines)]
        return tuple(map(int, [f for f in found if f][-1].groups())) if any(found) else None

    def close(self):
        """As an owner dies. The courier's end, in words."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(poller.LONG)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for _ in range(50):  # the last line may be on its way
            if self.ended:
                break
            time.sleep(0.02)
        return self.ended
