# Intervals of the sensitivity at stated specificities from given stratified draws: curves by pROC, percentiles by
# quantile, Wilson's interval at the effective sample size by prop.test. Run in this folder: Rscript roc_band.R
suppressMessages({library(pROC); library(jsonlite)})
set.seed(20261129)
replicates <- 200
# No specificity at which a curve of so many negatives climbs.
specificity <- c(0.97, 0.83, 0.51, 0.23)

sets <- list(
  untied = list(n_pos = 9, n_neg = 61, apart = 2.3, digits = 9),
  tied = list(n_pos = 30, n_neg = 41, apart = 1, digits = 0),
  separated = list(n_pos = 12, n_neg = 31, apart = 20, digits = 9),
  few_negatives = list(n_pos = 40, n_neg = 8, apart = 2, digits = 1)
)

sensitivity <- function(pos, neg) {
  curve <- roc(controls = neg, cases = pos, direction = "<", quiet = TRUE)
  coords(curve, x = specificity, input = "specificity", ret = "sensitivity", transpose = FALSE)$sensitivity
}

measured <- function(set) {
  pos <- round(rnorm(set$n_pos) + set$apart, set$digits)
  neg <- round(rnorm(set$n_neg), set$digits)
  draws_pos <- t(replicate(replicates, sample.int(set$n_pos, replace = TRUE)))
  draws_neg <- t(replicate(replicates, sample.int(set$n_neg, replace = TRUE)))
  drawn <- t(sapply(seq_len(replicates), function(b) sensitivity(pos[draws_pos[b, ]], neg[draws_neg[b, ]])))
  here <- sensitivity(pos, neg)
  bounds <- sapply(seq_along(specificity), function(k) {
    m <- mean(drawn[, k])
    v <- mean((drawn[, k] - m)^2)
    z2 <- qnorm(0.975)^2
    if (here[k] %in% c(0, 1)) m <- (set$n_pos * here[k] + z2 / 2) / (set$n_pos + z2)
    size <- if (v < 1e-12) set$n_pos else min(set$n_pos, m * (1 - m) / v)
    wilson <- suppressWarnings(prop.test(here[k] * size, size, correct = FALSE)$conf.int)
    c(wilson, quantile(drawn[, k], c(0.025, 0.975)))
  })
  list(
    pos = pos, neg = neg, draws_pos = draws_pos - 1L, draws_neg = draws_neg - 1L, sensitivity = here,
    wilson_low = bounds[1, ], wilson_high = bounds[2, ], percentile_low = bounds[3, ], percentile_high = bounds[4, ]
  )
}

write(
  toJSON(
    list(
      made_by = list(R = R.version.string, pROC = as.character(packageVersion("pROC"))),
      specificity = specificity, sets = lapply(sets, measured)
    ),
    digits = NA, auto_unbox = TRUE
  ),
  "roc_band.json"
)
