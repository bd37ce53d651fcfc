"""What a run says of itself with --summary, as numbers by name."""
import re

NUMBERS = re.compile(r'(\d+) (\w+)')
SENDS = ('answered', 'refused', 'superseded', 'unanswered')  # what becomes of each packet that was sent
NO_COUNTS = ('latency', 'hint', 'missing', 'lost')


class Summary:
    def __init__(self, text):
        self.count = {}   # of targets, packets, sends and replies
        self.status = {}  # targets of each status that there is
        self.deaths = 0
        self.other = []   # lines that are none of it
        for line in text.splitlines():
            if not line or line.startswith('  '):
                continue  # what a person reads
            name, _, rest = line.partition(': ')
            numbers = {word: int(number) for number, word in NUMBERS.findall(rest)}
            if name in ('packets', 'sends', 'replies'):
                self.count.update(numbers)
            elif name == 'targets':
                self.count['targets'] = int(rest.split()[0])
            elif name == 'status':
                self.status = {word: number for word, number in numbers.items() if number}
            elif name == 'deaths':
                self.deaths = int(rest.split()[0])
            elif name not in NO_COUNTS:
                self.other.append(line)

    @property
    def found(self):
        return 'targets' in self.count and 'answered' in self.count

    def sends(self):
        """All packets whose end is known, which is the number of those sent where no worker died."""
        return sum(self.count[name] for name in SENDS)
