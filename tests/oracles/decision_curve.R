# Oracle of decision curves; writes decision_curve.json.
# Run here: Rscript decision_curve.R
# The formulas of Vickers and Elkin (2006) written out patient by patient; standard errors as those of plain means.
# The package dcurves, which has the same formulas, is not in Debian. Debian package: r-cran-jsonlite.
library(jsonlite)
set.seed(2006)

one <- function(i) {
  n <- c(30, 88, 388)[(i - 1) %% 3 + 1]
  x <- rnorm(n)
  y <- rbinom(n, 1, plogis(x - 0.5))
  if (length(unique(y)) < 2) return(one(i))
  a <- plogis(x)
  b <- plogis(0.6 * x + rnorm(n, 0, 0.7))
  if (i %% 2 == 0) {
    a <- round(a, 1)
    b <- round(b, 1)
  }
  pi <- 0.2
  rows <- lapply(c(0.1, 0.25, 0.5, 0.7), function(t) {
    w <- t / (1 - t)
    each <- (a >= t) * (y - w * (1 - y))
    other <- (b >= t) * (y - w * (1 - y))
    all <- y - w * (1 - y)
    tpr <- mean(a[y == 1] >= t)
    fpr <- mean(a[y == 0] >= t)
    se <- function(v) sd(v) / sqrt(n)
    list(threshold = t, net_benefit = mean(each), se = se(each), treat_all = mean(all), se_all = se(all),
         standardized = mean(each) / mean(y), se_standardized = se(each / mean(y) - mean(each) * y / mean(y)^2),
         avoided = mean(each - all) / w, se_avoided = se((each - all) / w),
         at_prevalence = pi * tpr - w * (1 - pi) * fpr,
         difference = mean(each - other), se_difference = se(each - other),
         p = 2 * pnorm(-abs(mean(each - other)) / se(each - other)))
  })
  list(y = y, a = a, b = b, rows = rows)
}

write_json(list(made_by = list(R = R.version.string), prevalence = 0.2, cases = lapply(1:9, one)),
           "decision_curve.json", digits = I(17), auto_unbox = TRUE, pretty = FALSE)
