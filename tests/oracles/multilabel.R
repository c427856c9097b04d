# Overall metrics of two models over three labels, their paired bootstrap and the first one's intervals of three kinds on
# given draws: AUCs by pROC, the rest by counting, BCa from its formulas (Efron and Tibshirani 1993, 14.9 to 14.15). Run in this folder: Rscript multilabel.R
suppressMessages({library(pROC); library(jsonlite)})
set.seed(20261128)
n <- 70
labels <- 3
replicates <- 150

y <- sapply(c(0.7, 0.5, 0.3), function(p) rbinom(n, 1, p))
a <- round(y + matrix(rnorm(n * labels), n), 1)
b <- round(y + matrix(rnorm(n * labels, sd = 1.5), n), 1)
cuts <- rbind(c(0.4, 0.5, 0.6), c(0.3, 0.5, 0.7))
draws <- t(replicate(replicates, sample.int(n, n, replace = TRUE)))

area <- function(truth, score) {
  as.numeric(auc(roc(truth, score, levels = c(0, 1), direction = "<", quiet = TRUE)))
}

measured <- function(y, score, cut) {
  called <- sweep(score, 2, cut, ">=") * 1
  tp <- colSums(called * y); fp <- colSums(called * (1 - y)); fn <- colSums((1 - called) * y)
  positives <- colSums(y)
  areas <- sapply(seq_len(ncol(y)), function(k) area(y[, k], score[, k]))
  c(
    macro_auc = mean(areas),
    weighted_auc = sum(areas * positives) / sum(positives),
    micro_auc = area(as.vector(y), as.vector(score)),
    macro_accuracy = mean(tp / (tp + fp + fn)),
    micro_accuracy = sum(tp) / sum(tp + fp + fn),
    weighted_accuracy = sum(positives * tp / (tp + fp + fn)) / sum(positives),
    macro_f1 = mean(2 * tp / (2 * tp + fp + fn)),
    micro_f1 = 2 * sum(tp) / sum(2 * tp + fp + fn),
    hamming = mean(called != y),
    subset_accuracy = mean(rowSums(called != y) == 0)
  )
}

value <- measured(y, a, cuts[1, ]) - measured(y, b, cuts[2, ])
differences <- t(apply(draws, 1, function(i) {
  measured(y[i, ], a[i, ], cuts[1, ]) - measured(y[i, ], b[i, ], cuts[2, ])
}))
z <- value / apply(differences, 2, sd)
bounds <- apply(differences, 2, quantile, probs = c(0.025, 0.975))
found <- lapply(names(value), function(name) list(
  difference = unname(value[name]), statistic = unname(z[name]), p_value = unname(2 * pnorm(-abs(z[name]))),
  ci_low = bounds[1, name], ci_high = bounds[2, name]
))
names(found) <- names(value)

# Intervals of the first model alone.
own <- measured(y, a, cuts[1, ])
drawn <- t(apply(draws, 1, function(i) measured(y[i, ], a[i, ], cuts[1, ])))
jackknife <- t(sapply(seq_len(n), function(i) measured(y[-i, ], a[-i, ], cuts[1, ])))
kinds <- function(name) {
  values <- drawn[, name]
  percentiles <- unname(quantile(values, c(0.025, 0.975)))
  spread <- mean(jackknife[, name]) - jackknife[, name]
  skew <- sum(spread^3) / (6 * sum(spread^2)^1.5)
  bias <- qnorm(mean(values < own[name]) + mean(values == own[name]) / 2)
  z <- bias + qnorm(c(0.025, 0.975))
  list(
    percentile = percentiles, basic = unname(2 * own[name] - rev(percentiles)),
    bca = unname(quantile(values, pnorm(bias + z / (1 - skew * z))))
  )
}
intervals <- lapply(names(own), kinds)
names(intervals) <- names(own)

made_by <- list(R = R.version.string, pROC = as.character(packageVersion("pROC")))
write(
  toJSON(
    list(made_by = made_by, y = y, a = a, b = b, cuts = cuts, draws = draws - 1L, found = found,
      intervals = intervals
    ),
    digits = NA, auto_unbox = TRUE
  ),
  "multilabel.json"
)
