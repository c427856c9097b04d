# Oracle of the tests and differences of a baseline table; writes baseline.json.
# Run here: Rscript baseline.R
# Base R: t.test, oneway.test, wilcox.test, kruskal.test, chisq.test, fisher.test, quantile. Standardised differences
# are their papers' formulas written out. Debian package: r-cran-jsonlite.
library(jsonlite)
set.seed(2009)

pooled_sd <- function(a, b) sqrt((var(a) + var(b)) / 2)
categorical_smd <- function(a, b) {
  p <- (a / sum(a))[-1]
  q <- (b / sum(b))[-1]
  of <- function(x) diag(x, length(x)) - outer(x, x)
  sqrt(drop((p - q) %*% solve((of(p) + of(q)) / 2) %*% (p - q)))
}

continuous <- lapply(1:24, function(i) {
  k <- c(2, 2, 3, 4)[(i - 1) %% 4 + 1]
  sizes <- sample(c(4, 12, 30, 60), k, replace = TRUE)
  ties <- i %% 3 == 0
  groups <- lapply(sizes, function(n) {
    v <- rgamma(n, 2, 0.05) + runif(1, 0, 15)
    if (ties) round(v / 10) else v
  })
  value <- unlist(groups)
  group <- factor(rep(seq_along(sizes), sizes))
  welch <- if (k == 2) t.test(groups[[1]], groups[[2]]) else oneway.test(value ~ group)
  rank <- if (k == 2) suppressWarnings(wilcox.test(groups[[1]], groups[[2]])) else kruskal.test(value, group)
  list(groups = groups, welch = c(unname(welch$statistic), unname(welch$parameter), welch$p.value),
       rank = c(unname(rank$statistic), rank$p.value),
       quartiles = quantile(value, c(0.25, 0.5, 0.75), names = FALSE),
       smd = (mean(groups[[1]]) - mean(groups[[2]])) / pooled_sd(groups[[1]], groups[[2]]))
})

categorical <- lapply(1:30, function(i) {
  shape <- list(c(2, 2), c(2, 3), c(3, 2), c(4, 2), c(3, 3), c(5, 3))[[(i - 1) %% 6 + 1]]
  n <- sample(c(9, 20, 45, 300), 1)
  repeat {
    counts <- matrix(rmultinom(1, n, rgamma(prod(shape), 1.5)), shape[1])
    if (all(rowSums(counts[, 1:2]) > 0) && all(colSums(counts) > 0)) break
  }
  chi <- suppressWarnings(chisq.test(counts, correct = FALSE))
  exact <- if (n <= 45) fisher.test(counts, workspace = 2e7)$p.value else NA
  smd <- tryCatch(categorical_smd(counts[, 1], counts[, 2]), error = function(e) NA)
  list(counts = counts, chi = c(unname(chi$statistic), unname(chi$parameter), chi$p.value),
       expected = chi$expected, exact = exact, smd = smd)
})

write_json(list(made_by = list(R = R.version.string), continuous = continuous, categorical = categorical),
           "baseline.json", digits = I(17), auto_unbox = TRUE, pretty = FALSE)
