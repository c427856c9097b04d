# Oracle of tests that resample, from pROC: writes resampling.json. Takes some minutes.
# Run here: Rscript resampling.R
# The answers are random: with 10,000 replicates a p-value has a standard error of at most 0.005, and a
# bootstrap statistic one of 0.7% of itself. Scores are without ties, which pROC and the paper break differently.
suppressMessages({
  library(pROC)
  library(jsonlite)
})
set.seed(1996)
n_resamples <- 10000
cases <- lapply(1:6, function(k) {
  y <- rep(0:1, c(24 + 4 * k, 20 + 2 * k))
  shared <- rnorm(length(y)) + 0.9 * y
  scores <- lapply(c(0.3, 0.8), function(extra) as.numeric(sprintf("%.6g", shared + rnorm(length(y)) + extra * (k %% 3) * y)))
  rocs <- lapply(scores, function(x) roc(y, x, levels = c(0, 1), direction = "<", quiet = TRUE))
  test <- function(a, b, ...) roc.test(a, b, boot.n = n_resamples, progress = "none", paired = TRUE, ...)
  part <- lapply(rocs, function(r) {
    r$auc <- auc(r, partial.auc = c(0.7, 1), partial.auc.focus = "specificity")
    r
  })
  statistic <- function(t) as.numeric(t$statistic)
  venkatraman <- test(rocs[[1]], rocs[[2]], method = "venkatraman")
  list(y = y, scores = scores, venkatraman = list(statistic = statistic(venkatraman), p = venkatraman$p.value),
       delong_p = roc.test(rocs[[1]], rocs[[2]], method = "delong")$p.value,
       bootstrap = statistic(test(rocs[[1]], rocs[[2]], method = "bootstrap")),
       partial = statistic(test(part[[1]], part[[2]], method = "bootstrap")),
       at_specificity = statistic(test(rocs[[1]], rocs[[2]], method = "specificity", specificity = 0.8)))
})
write_json(list(made_by = list(R = R.version.string, pROC = as.character(packageVersion("pROC"))),
                n_resamples = n_resamples, cases = cases), "resampling.json", digits = NA, auto_unbox = TRUE)
