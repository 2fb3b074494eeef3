//! The routes that call a model.

use crate::support::Demo;

#[tokio::test]
async fn the_demo_answers_what_its_model_says() {
    let demo = Demo::start();
    let answer = demo.get("/ask?q=why").await;
    assert!(answer.ends_with("data: [DONE]\n\n"), "{answer}");
    demo.shows(&[
        r#"llm_requests_total{provider="openai",model="gpt-4o-mini",operation="chat",outcome="success"} 1"#,
    ])
    .await;
    // No other call was made.
    let metrics = demo.scrape().await;
    let lines = metrics.lines();
    let calls = lines.filter(|line| line.starts_with("llm_requests_total{"));
    assert_eq!(calls.filter(|line| !line.ends_with(" 0")).count(), 1);
}
