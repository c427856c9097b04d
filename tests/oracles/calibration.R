# Oracle of calibration and of recalibration; writes calibration.json.
# Run here: Rscript calibration.R
# Base R: glm (intercept with offset, slope, deviances), loess with a direct surface, isoreg. Debian packages:
# r-cran-rms (val.prob: Brier, joint fit, unreliability, Spiegelhalter), r-cran-riskregression (interval of the Brier
# score), r-cran-jsonlite. The clustered variance is written out.
suppressMessages({
  library(rms)
  library(riskRegression)
  library(jsonlite)
})
set.seed(1973)

# A second fit that starts at the solution: the weights behind glm's standard errors are those of its last start.
glm_of <- function(formula) {
  control <- glm.control(1e-14, 200)
  glm(formula, binomial, start = coef(glm(formula, binomial, control = control)), control = control)
}
robust <- function(fit, x, y, cluster) {
  h <- solve(crossprod(x * sqrt(fit$fitted.values * (1 - fit$fitted.values))))
  scores <- rowsum(x * (y - fit$fitted.values), cluster)
  k <- nrow(scores)
  sqrt(diag(h %*% crossprod(scores) %*% h * k / (k - 1)))
}

one <- function(i) {
  n <- c(30, 88, 388, 900)[(i - 1) %% 4 + 1]
  x <- rnorm(n, runif(1, -1, 1), runif(1, 0.5, 1.5))
  y <- rbinom(n, 1, plogis(runif(1, -0.7, 0.7) + runif(1, 0.5, 1.3) * x))
  p <- plogis(x)
  if (i %% 3 == 0) p <- pmin(pmax(round(p, 2), 0.01), 0.99)
  cluster <- sample(ceiling(n / 2), n, replace = TRUE)
  lp <- qlogis(p)
  if (length(unique(y)) < 2 || max(lp[y == 0]) <= min(lp[y == 1])) return(one(i))
  held <- glm_of(y ~ offset(lp))
  both <- glm_of(y ~ lp)
  span <- c(0.75, 0.75, 0.5, 0.9)[(i - 1) %/% 4 %% 4 + 1]
  degree <- c(2, 2, 1, 2)[(i - 1) %/% 4 %% 4 + 1]
  smooth <- loess(y ~ p, span = span, degree = degree, control = loess.control(surface = "direct"))
  away <- abs(fitted(smooth) - p)
  at <- seq(min(p), max(p), length.out = 11)
  drawn <- predict(smooth, data.frame(p = at), se = TRUE)
  score <- Score(list(model = p), y ~ 1, data.frame(y = y), metrics = "brier", null.model = FALSE)$Brier$score
  val <- suppressWarnings(val.prob(p, y, pl = FALSE))
  iso <- isoreg(p[order(p, -y)], y[order(p, -y)])
  n1 <- sum(y)
  target <- ifelse(y == 1, (n1 + 1) / (n1 + 2), 1 / (n - n1 + 2))
  platt <- suppressWarnings(glm_of(target ~ lp))
  list(y = y, p = p, cluster = cluster, span = span, degree = degree,
       intercept = unname(c(coef(held), confint.default(held))),
       slope = unname(c(coef(both)[2], confint.default(both)[2, ])),
       beside = unname(c(coef(both)[1], confint.default(both)[1, ])),
       robust_se = unname(c(robust(held, cbind(rep(1, n)), y, cluster), robust(both, cbind(1, lp), y, cluster))),
       lr = sum(-2 * dbinom(y, 1, p, log = TRUE)) - deviance(both),
       at = at, curve = unname(drawn$fit), norm2 = unname((drawn$se.fit / drawn$residual.scale)^2),
       indices = c(mean(away), median(away), quantile(away, 0.9, names = FALSE), max(away)),
       brier = unlist(score[, c("Brier", "lower", "upper")], use.names = FALSE),
       val_prob = as.list(val[c("Brier", "Intercept", "Slope", "U:Chi-sq", "U:p", "S:z", "S:p")]),
       isotonic = iso$yf[order(order(p, -y))],
       platt = unname(coef(platt)))
}

made_by <- list(R = R.version.string, rms = as.character(packageVersion("rms")),
                riskRegression = as.character(packageVersion("riskRegression")))
write_json(list(made_by = made_by, cases = lapply(1:16, one)), "calibration.json", digits = I(17),
           auto_unbox = TRUE, pretty = FALSE)
