# What the Youden cut-off yields less its optimism, with Wilson's interval at the size that varies as the optimism does,
# from given stratified draws: cut-offs by pROC (midpoints; the most sensitive of the best), Wilson's interval by
# prop.test. Run in this folder: Rscript chosen_cutoff.R
suppressMessages({library(pROC); library(jsonlite)})
set.seed(20261130)
replicates <- 150
z2 <- qnorm(0.975)^2

sets <- list(
  plain = list(n_pos = 30, n_neg = 58, apart = 1.2),
  few_positives = list(n_pos = 9, n_neg = 60, apart = 2.3),
  separated = list(n_pos = 8, n_neg = 25, apart = 30)
)

cutoff <- function(pos, neg) {
  curve <- roc(controls = neg, cases = pos, direction = "<", quiet = TRUE)
  min(coords(curve, "best", best.method = "youden", ret = "threshold", transpose = FALSE)$threshold)
}

yielded <- function(pos, neg, cut) {
  c(
    sensitivity = mean(pos >= cut), specificity = mean(neg < cut),
    accuracy = (sum(pos >= cut) + sum(neg < cut)) / (length(pos) + length(neg))
  )
}

wilson <- function(p, v, n) {
  m <- if (p < 1e-9 || p > 1 - 1e-9) (n * p + z2 / 2) / (n + z2) else p
  size <- if (v < 1e-12) n else min(n, m * (1 - m) / v)
  suppressWarnings(as.numeric(prop.test(p * size, size, correct = FALSE)$conf.int))
}

measured <- function(set) {
  pos <- round(rnorm(set$n_pos) + set$apart, 9)
  neg <- round(rnorm(set$n_neg), 9)
  draws_pos <- t(replicate(replicates, sample.int(set$n_pos, replace = TRUE)))
  draws_neg <- t(replicate(replicates, sample.int(set$n_neg, replace = TRUE)))
  excess <- t(sapply(seq_len(replicates), function(b) {
    cut <- cutoff(pos[draws_pos[b, ]], neg[draws_neg[b, ]])
    yielded(pos[draws_pos[b, ]], neg[draws_neg[b, ]], cut) - yielded(pos, neg, cut)
  }))
  chosen <- cutoff(pos, neg)
  corrected <- pmin(pmax(yielded(pos, neg, chosen) - colMeans(excess), 0), 1)
  variance <- apply(excess, 2, function(e) mean((e - mean(e))^2))
  sizes <- c(sensitivity = set$n_pos, specificity = set$n_neg, accuracy = set$n_pos + set$n_neg)
  bounds <- sapply(names(sizes), function(k) wilson(corrected[[k]], variance[[k]], sizes[[k]]))
  low <- bounds[1, 1:2]; high <- bounds[2, 1:2]; here <- corrected[1:2]
  index <- sum(here) - 1
  found <- lapply(names(sizes), function(k) c(corrected[[k]], bounds[, k]))
  names(found) <- names(sizes)
  found$youden <- c(index, index - sqrt(sum((here - low)^2)), index + sqrt(sum((high - here)^2)))
  list(
    pos = pos, neg = neg, draws_pos = draws_pos - 1L, draws_neg = draws_neg - 1L, cutoff = chosen, found = found
  )
}

write(
  toJSON(
    list(
      made_by = list(R = R.version.string, pROC = as.character(packageVersion("pROC"))), sets = lapply(sets, measured)
    ),
    digits = NA, auto_unbox = TRUE
  ),
  "chosen_cutoff.json"
)
