# Score intervals of Miettinen and Nurminen (1985) for the ratio and the odds ratio of two independent proportions: the
# proportions under the constraint, and the bounds, by uniroot. Run in this folder:
# Rscript score_ratio.R
suppressMessages(library(jsonlite))
z <- qnorm(0.975)

# Where there is none, the likelihood rises up to the end.
root_of <- function(f) if (f(60) >= 0) 60 else uniroot(f, c(-60, 60), tol = 1e-15, maxiter = 10000)$root

ratio_score <- function(k, n, l, m) function(log_ratio) {
  r <- exp(log_ratio)
  top <- min(1, 1 / r)
  # Times p (1 - p) (1 - r p): 0 where the likelihood is largest.
  slope <- function(x) {
    p <- top * plogis(x)
    (k + l) * (1 - p) * (1 - r * p) - (n - k) * r * p * (1 - p) - (m - l) * p * (1 - r * p)
  }
  p <- top * plogis(root_of(slope))
  v <- (r * p * (1 - r * p) / n + r^2 * p * (1 - p) / m) * (n + m) / (n + m - 1)
  (k / n - r * l / m) / sqrt(v)
}

odds_score <- function(k, n, l, m) function(log_ratio) {
  # The likelihood is largest where the expected successes are those observed.
  x <- root_of(function(x) k + l - n * plogis(x + log_ratio) - m * plogis(x))
  spread <- n * plogis(x + log_ratio) * plogis(-x - log_ratio)
  other_spread <- m * plogis(x) * plogis(-x)
  (k - n * plogis(x + log_ratio)) * sqrt((1 / spread + 1 / other_spread) * (n + m - 1) / (n + m))
}

bounds <- function(score) {
  crossing <- function(target, end) {
    f <- function(x) score(x) - target
    if (f(-9) <= 0) return(0)
    if (f(9) >= 0) return(-1) # infinity
    exp(uniroot(f, c(-9, 9), tol = 1e-15)$root)
  }
  c(crossing(z), crossing(-z))
}

tables <- list(
  c(45, 68, 5, 20), c(45, 68, 0, 20), c(9, 9, 3, 79), c(9, 9, 0, 79), c(0, 9, 70, 79), c(8, 9, 40, 79), c(1, 5, 2, 4),
  c(0, 1, 1, 1), c(30, 40, 1, 300)
)
found <- lapply(tables, function(t) {
  list(
    counts = t, ratio = bounds(ratio_score(t[1], t[2], t[3], t[4])), odds = bounds(odds_score(t[1], t[2], t[3], t[4]))
  )
})
write(
  toJSON(list(made_by = list(R = R.version.string), tables = found), digits = NA, auto_unbox = TRUE), "score_ratio.json"
)
