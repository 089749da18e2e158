"""A token bucket: so many requests a minute, and no more at once."""

from dataclasses import dataclass


@dataclass
class RateLimit:
    """Lets ``per_minute`` requests pass in any long time, at most that many in a burst."""

    per_minute: int
    _tokens: float = 0.0
    _since_s: float | None = None

    def take(self, now_s: float) -> float:
        """Count one request.

        Args:
            now_s: from a clock that never goes back.

        Returns:
            0 where it may pass, else the seconds until one may.
        """
        if self._since_s is None:
            self._tokens = float(self.per_minute)
        else:
            gained = (now_s - self._since_s) * self.per_minute / 60
            self._tokens = min(float(self.per_minute), self._tokens + gained)
        self._since_s = now_s
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) * 60 / self.per_minute
