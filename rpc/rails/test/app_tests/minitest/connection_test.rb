# frozen_string_literal: true

class ConnectionTest < ActionCable::Connection::TestCase
  tests ApplicationCable::Connection

  test "connects with a signed cookie" do
    cookies.signed[:user_id] = 1
    connect
    assert_equal 1, connection.current_user.id
  end

  test "connects with an encrypted cookie" do
    cookies.encrypted[:user_id] = 2
    connect
    assert_equal 2, connection.current_user.id
  end

  test "connects with session, params, headers and env" do
    connect session: { user_id: 3 }
    assert_equal 3, connection.current_user.id
    connect "/cable?user_id=4"
    assert_equal 4, connection.current_user.id
    connect params: { user_id: 5 }
    assert_equal 5, connection.current_user.id
    connect headers: { "X-User" => "6" }
    assert_equal 6, connection.current_user.id
    connect env: { "diary.user" => 7 }
    assert_equal [ 7, "/cable" ], [ connection.current_user.id, connection.request.path ]
  end

  test "rejects" do
    assert_reject_connection { connect }
  end

  test "disconnects" do
    connect params: { user_id: 8 }
    assert_difference(-> { ApplicationCable::Connection.left.count(8) }) { disconnect }
  end

  test "is identified by its user" do
    connect params: { user_id: 9 }
    assert_equal [ Set[:current_user], "user-9" ], [ connection.identifiers, connection.connection_identifier ]
  end
end
