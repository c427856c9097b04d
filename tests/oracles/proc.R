# Oracle of ROC curves, AUCs, DeLong's variance and tests, partial areas and cut-offs, from pROC: writes proc.json.gz.
# Run here: Rscript proc.R
# 232 data sets (three correlated scores of the same patients, one score of other patients), and aSAH.
# Scores go through six digits of text before use, so that other programs read the doubles that pROC was given.
suppressMessages({
  library(pROC)
  library(jsonlite)
})
set.seed(19880914)

# jsonlite stops at 15 digits; these numbers keep all 17. Undefined is null.
number <- function(x) {
  text <- sprintf("%.17g", x)
  text[is.na(x)] <- "null"
  text[is.infinite(x)] <- ifelse(x[is.infinite(x)] > 0, "\"Infinity\"", "\"-Infinity\"")
  text
}
json <- function(x) {
  if (is.list(x)) {
    if (is.null(names(x))) return(paste0("[", paste(vapply(x, json, ""), collapse = ","), "]"))
    return(paste0("{", paste0("\"", names(x), "\":", vapply(x, json, ""), collapse = ","), "}"))
  }
  if (is.character(x)) return(paste0("\"", x, "\""))
  if (inherits(x, "AsIs") || length(x) != 1) return(paste0("[", paste(number(unclass(x)), collapse = ","), "]"))
  number(x)
}

as_read <- function(x) as.numeric(sprintf("%.6g", x))
draw <- function(y, shift, shared, kind, scale) {
  x <- sqrt(0.5) * shared + sqrt(0.5) * rnorm(length(y)) + shift * y
  x <- switch(kind, continuous = x, tenths = round(x, 1), whole = round(x),
              ratings = as.numeric(cut(x, c(-Inf, -0.8, 0, 0.7, 1.5, Inf))))
  as_read(x * scale)
}
labels <- function(n, prevalence, least) {
  n_pos <- min(max(round(n * prevalence), least), n - least)
  sample(rep(c(1, 0), c(n_pos, n - n_pos)))
}

kinds <- c("continuous", "tenths", "continuous", "ratings", "whole")
scales <- c(1, 1, 1, 1e150, 1e-300, 1e-3)
prevalences <- c(0.05, 0.2, 0.34, 0.5, 0.77, 0.95)
# The AUC is pnorm(shift / sqrt(2)): from 0.3 to 0.998.
shifts <- sqrt(2) * c(qnorm(0.3), 0, qnorm(0.6), qnorm(0.7), qnorm(0.8), qnorm(0.9), qnorm(0.97), qnorm(0.998))
sizes <- unique(round(exp(seq(log(4), log(500), length.out = 40))))
generated <- lapply(seq_len(220), function(i) {
  n <- sizes[(i - 1) %% length(sizes) + 1]
  prevalence <- prevalences[(i - 1) %% 6 + 1]
  kind <- kinds[(i - 1) %% 5 + 1]
  scale <- if (kind == "ratings") 1 else scales[(i %/% 5) %% 6 + 1]
  shift <- shifts[(i * 3) %% 8 + 1]
  y <- labels(n, prevalence, 2)
  shared <- rnorm(n)
  other <- labels(max(4, round(n * 0.8)), 0.4, 2)
  list(name = paste(kind, "n", n, "no.", i), y = y,
       scores = list(draw(y, shift, shared, kind, scale), draw(y, shift * 0.8, shared, kind, scale),
                     draw(y, shift + 0.1, shared, kinds[i %% 5 + 1], 1)),
       other_y = other, other_score = draw(other, shift * 0.9, rnorm(length(other)), kind, 1))
})
case <- function(name, y, scores, other_y = c(0, 1, 0, 1, 1), other_score = c(1, 2, 3, 4, 2))
  list(name = name, y = y, scores = scores, other_y = other_y, other_score = other_score)
special <- list(
  case("n 3, one positive", c(0, 0, 1), list(c(1, 3, 2), c(2, 1, 3), c(1, 1, 1))),
  case("n 3, one negative", c(1, 0, 1), list(c(1, 3, 2), c(2, 1, 3), c(1, 1, 2))),
  case("one positive", c(1, rep(0, 19)), lapply(1:3, function(k) as_read(rnorm(20)))),
  case("one negative", c(0, rep(1, 19)), lapply(1:3, function(k) as_read(rnorm(20)))),
  case("perfect separation", rep(0:1, c(12, 9)), list(1:21, (1:21)^2, c(1:11, 14, 13, 12, 15:21))),
  case("reversed separation", rep(1:0, c(12, 9)), list(1:21, (1:21)^2, c(1:11, 14, 13, 12, 15:21))),
  case("all scores equal", rep(0:1, 10), list(rep(7, 20), rep(-3, 20), as_read(rnorm(20)))),
  case("identical scores", rep(0:1, 10), rep(list(as_read(rnorm(20))), 3)),
  case("rank-equivalent scores", rep(0:1, 10), local({ x <- as_read(rnorm(20)); list(x, x * 1000, x) })),
  case("negative scores", rep(0:1, 30), lapply(1:3, function(k) as_read(-100 - rexp(60)))),
  case("two of each", c(0, 1, 0, 1), list(c(1, 2, 3, 4), c(1, 4, 2, 3), c(2, 1, 3, 4))),
  case("Youden tied three times", c(0, 1, 0, 1, 0, 1), list(1:6, c(2, 1, 4, 3, 6, 5), c(1, 1, 2, 2, 3, 3))))

bounds <- list(c(0.9, 1), c(0.8, 0.95), c(0, 0.3), c(0.25, 0.75))
quietly <- function(expr) suppressWarnings(suppressMessages(expr))
one <- function(r) {
  points <- coords(r, "all", ret = c("threshold", "sensitivity", "specificity"), transpose = FALSE)
  youden <- coords(r, "best", best.method = "youden", ret = c("threshold", "sensitivity", "specificity"), transpose = FALSE)
  topleft <- coords(r, "best", best.method = "closest.topleft", ret = "threshold", transpose = FALSE)
  weighted <- coords(r, "best", best.method = "youden", best.weights = c(2, 0.3), ret = "threshold", transpose = FALSE)
  partial <- lapply(c("specificity", "sensitivity"), function(focus) lapply(bounds, function(b) {
    area <- function(correct) as.numeric(quietly(auc(r, partial.auc = b, partial.auc.focus = focus,
      partial.auc.correct = correct, allow.invalid.partial.auc.correct = TRUE)))
    c(area(FALSE), area(TRUE))
  }))
  list(auc = as.numeric(auc(r)), variance = quietly(var(r, method = "delong")),
       ci = as.numeric(quietly(ci.auc(r, method = "delong")))[c(1, 3)],
       ci80 = as.numeric(quietly(ci.auc(r, method = "delong", conf.level = 0.8)))[c(1, 3)],
       threshold = I(points$threshold), sensitivity = I(points$sensitivity), specificity = I(points$specificity),
       youden = I(youden$threshold), topleft = I(topleft$threshold), weighted = I(weighted$threshold),
       partial = partial)
}
pair <- function(a, b) {
  test <- quietly(roc.test(a, b, method = "delong", paired = TRUE))
  # Where the statistic is 0 / 0 pROC leaves the interval out.
  interval <- if (is.null(test$conf.int)) c(NA, NA) else as.numeric(test$conf.int)
  list(statistic = as.numeric(test$statistic), p = as.numeric(test$p.value), ci = interval,
       covariance = quietly(cov(a, b, method = "delong")))
}
answers <- function(d) {
  of <- function(y, x) roc(y, x, levels = c(0, 1), direction = "<", quiet = TRUE)
  rocs <- lapply(d$scores, function(x) of(d$y, x))
  result <- list(name = d$name, y = paste(d$y, collapse = ""), scores = lapply(d$scores, I),
                 rocs = lapply(rocs, one))
  # One of a class gives pROC no variance and a test that stops or says NA.
  if (min(table(d$y)) > 1) {
    result$pairs <- lapply(list(c(1, 2), c(1, 3), c(2, 3)), function(k) pair(rocs[[k[1]]], rocs[[k[2]]]))
    if (!is.null(d$other_y)) {
      other <- of(d$other_y, d$other_score)
      test <- quietly(roc.test(rocs[[1]], other, method = "delong", paired = FALSE))
      result$other_y <- paste(d$other_y, collapse = "")
      result$other_score <- I(d$other_score)
      result$unpaired <- list(statistic = as.numeric(test$statistic), df = as.numeric(test$parameter),
                              p = as.numeric(test$p.value))
    }
  }
  area <- as.numeric(auc(rocs[[1]]))
  if (area > 0.5 && area < 1) {
    kappa <- sum(d$y == 0) / sum(d$y == 1)
    size <- power.roc.test(auc = area, kappa = kappa, power = 0.8, sig.level = 0.05)
    result$size <- c(size$ncases, size$ncontrols)
  }
  result
}

asah <- read.csv("asah.csv")
asah_y <- as.numeric(asah$outcome == "Poor")
real <- answers(list(name = "aSAH", y = asah_y, scores = list(asah$s100b, as.numeric(asah$wfns), asah$ndka)))
of <- function(x) roc(asah_y, x, levels = c(0, 1), direction = "<", quiet = TRUE)
unpaired <- function(a, b) {
  test <- roc.test(a, b, method = "delong", paired = FALSE)
  list(statistic = as.numeric(test$statistic), df = as.numeric(test$parameter), p = as.numeric(test$p.value))
}
asah_rocs <- lapply(list(asah$s100b, as.numeric(asah$wfns), asah$ndka), of)
real$unpaired_pairs <- list(unpaired(asah_rocs[[1]], asah_rocs[[2]]), unpaired(asah_rocs[[1]], asah_rocs[[3]]),
                            unpaired(asah_rocs[[2]], asah_rocs[[3]]))

writeLines(json(list(made_by = list(R = R.version.string, pROC = as.character(packageVersion("pROC"))),
                     bounds = bounds, asah = real, data_sets = lapply(c(generated, special), answers))),
           con <- gzfile("proc.json.gz", "w", compression = 9))
close(con)
