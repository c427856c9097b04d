# Oracle of cut-offs by several criteria, from OptimalCutpoints: writes cutoff.json.
# Run here: Rscript cutoff.R
# 16 negatives and 8, 16 or 32 positives, prevalence 1/2 or 1/4: every rate is a binary fraction, so that the
# package's comparisons of rates are free of rounding and its ties are true ties.
suppressMessages({
  library(OptimalCutpoints)
  library(jsonlite)
})
set.seed(1950)
criteria <- list(youden = "Youden", `closest-topleft` = "ROC01", `min-sensitivity` = "MinValueSe",
                 `min-specificity` = "MinValueSp", cost = "CB")
cases <- lapply(1:36, function(k) {
  n_pos <- c(8, 16, 32)[k %% 3 + 1]
  y <- rep(0:1, c(16, n_pos))
  score <- round(rnorm(length(y)) + 1.2 * y, c(6, 1, 0)[k %/% 3 %% 3 + 1])
  prevalence <- c(0.5, 0.25)[k %% 2 + 1]
  ratio <- c(0.25, 1, 2)[k %/% 2 %% 3 + 1]
  minimum <- c(0.75, 0.875)[k %% 2 + 1]
  control <- control.cutpoints(valueSe = minimum, valueSp = minimum, costs.ratio = ratio)
  found <- lapply(criteria, function(method) {
    answer <- suppressWarnings(optimal.cutpoints(X = "score", status = "y", tag.healthy = 0, methods = method,
      data = data.frame(score, y), pop.prev = prevalence, control = control))
    best <- answer[[method]]$Global$optimal.cutoff
    list(cutoff = I(best$cutoff), sensitivity = I(best$Se[, 1]), specificity = I(best$Sp[, 1]))
  })
  list(y = y, score = score, prevalence = prevalence, cost_ratio = ratio, minimum = minimum, found = found)
})
write_json(list(made_by = list(R = R.version.string, OptimalCutpoints = as.character(packageVersion("OptimalCutpoints"))),
                cases = cases), "cutoff.json", digits = NA, auto_unbox = TRUE)
